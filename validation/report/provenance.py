"""Where the numbers come from: stages with their configuration, seed, platform, revision, times and inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transslit.runs import surroundings


def provenance(seed: int, stages: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All that made a run, JSON-able; `stages` are the manifests by name."""
    return {"seed": seed, **surroundings(), "stages": dict(stages)}


def totals(content: dict[str, Any]) -> tuple[float, float]:
    """Wall and processor time in s of all stages."""
    stages = content["stages"].values()
    return sum(stage["wall_s"] for stage in stages), sum(stage["cpu_s"] for stage in stages)


def stage_rows(content: dict[str, Any]) -> list[dict[str, str]]:
    """One row per stage, as text."""
    return [
        {
            "stage": name,
            "wall": f"{stage['wall_s']:.1f} s",
            "cpu": f"{stage['cpu_s']:.1f} s",
            "seed": "" if stage["seed"] is None else str(stage["seed"]),
            "platform": stage["platform"],
            "revision": stage.get("revision", ""),
            "configuration": stage["digest"][:12],
            "inputs": ", ".join(f"{key} {value[:12]}" for key, value in stage["inputs"].items()),
        }
        for name, stage in content["stages"].items()
    ]
