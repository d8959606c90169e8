"""``cuesense demo``: the main job on synthetic images."""

from __future__ import annotations

from pathlib import Path

from cuesense.cli.errors import user_errors
from cuesense.cli.options import Json, OutputFolder
from cuesense.cli.terminal import progress, remark_on_data, show_profile
from cuesense.inference.malloc import keep_freed_memory

_OWN = ("cuesense analyze MODEL --dataset DATASET", "your own model")


def demo(output: OutputFolder = Path("cuesense-demo"), json: Json = False) -> None:
    """Analyze a small model that comes with cuesense on synthetic images, whose cues are known.

    \b
    Examples:
      cuesense demo
      cuesense demo --output demo
    """
    with user_errors():
        from cuesense.workflows import demo as job

        keep_freed_memory()
        with progress() as advance:
            profile, recovered = job.run(output, advance, remark_on_data, advance.phase)
        recovery = f"{recovered} of {len(profile.classes)} planted cues recovered."
        show_profile(profile, output, as_json=json, remarks=[recovery], then=[_OWN])
