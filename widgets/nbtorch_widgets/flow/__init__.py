"""GradFlow: the graph of a model's modules, and the gradients that run back through it."""
