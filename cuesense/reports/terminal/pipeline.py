"""What each step of a training transform costs, as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from cuesense.reports.pipeline_text import caption, forecast_text, safe_text, worst_text
from cuesense.reports.terminal.parts import borderless_table
from cuesense.reports.text import points, printable
from cuesense.schemas.profile import PipelineModel, Profile

# Below this many columns the cost beside the other steps is left out, which leaves its room to names.
_NARROW = 110
# Columns of a step's name and of the worst class with its drop, in a narrow and in a wide terminal.
_NAMES = {False: (17, 22), True: (26, 40)}


def pipeline_lines(profile: Profile, width: int) -> Iterator[RenderableType]:
    """Yield headline, table, caption and remarks on a training transform; nothing where none was measured.

    Args:
        profile: The profile.
        width: Columns of the terminal.
    """
    found = profile.pipeline
    if found is None:
        return
    yield Text(f"Training transform {printable(found.spec)}", "bold")
    yield Constrain(Text(printable(found.headline)), width)
    yield _table(profile, found, width)
    yield Constrain(Text(caption(profile, found), "dim"), width)
    for remark in found.remarks:
        yield Constrain(Text(printable(remark), "dim"), width)


def _table(profile: Profile, found: PipelineModel, width: int) -> Table:
    wide = width >= _NARROW
    table = borderless_table()
    names = _NAMES[wide]
    table.add_column("Step", no_wrap=True, overflow="ellipsis", max_width=names[0])
    for title in ("Drop", "Beside others", "Beyond") if wide else ("Drop", "Beyond"):
        table.add_column(title, justify="right", no_wrap=True, min_width=len(title))
    table.add_column("Worst class", no_wrap=True, overflow="ellipsis", max_width=names[1])
    table.add_column("Safe p", justify="right", no_wrap=True, min_width=len("Safe p"))
    table.add_column("In training", no_wrap=True, overflow="ellipsis")
    for step in found.steps:
        beside = [points(None if step.left_out is None else step.left_out.mean.value)] if wide else []
        table.add_row(
            Text(printable(step.name)),
            points(step.alone.mean.value),
            *beside,
            f"{len(step.beyond):,}",
            Text(printable(worst_text(profile, step, taker=wide))),
            safe_text(step),
            forecast_text(step) if wide else step.verdict,
        )
    whole = found.whole[-1]
    drops = [drop for drop in whole.drop if drop is not None]
    beyond = sum(drop > profile.policy.tolerance for drop in drops)
    table.add_row(Text("all together", "bold"), points(whole.mean.value), *([""] if wide else []), f"{beyond:,}")
    return table
