"""Puts the lessons into the wheel; an editable install finds them in the checkout, where a copy would grow stale."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LessonsHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            for language in ("en", "ko", "teaching"):
                build_data["force_include"][f"lessons/{language}"] = f"nbtorch/course/lessons/{language}"
