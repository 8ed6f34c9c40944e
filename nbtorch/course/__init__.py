"""The course: building the lessons' notebooks from their sources, and what a lesson's cells call."""
