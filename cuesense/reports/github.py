"""A gate's results as workflow commands of GitHub Actions, which shows them as annotations of the run.

The commands and their escapes: https://docs.github.com/actions/reference/workflow-commands-for-github-actions and
``packages/core/src/command.ts`` of https://github.com/actions/toolkit.
"""

from __future__ import annotations

from collections.abc import Iterator

from cuesense.reports.gate_text import loss_line, others, rule_title, violation
from cuesense.reports.text import printable
from cuesense.schemas.gate import GateResult

_TITLE = "cuesense check"


def commands(found: GateResult) -> str:
    """Return one line for each result: an error where a rule is violated, a warning for losses that may be chance.

    Args:
        found: What the gate found.

    Returns:
        Workflow commands for standard output. What could not be tested is a notice, and so is a gate that holds.
    """
    return "".join(f"{line}\n" for line in _lines(found))


def command(kind: str, title: str, message: str) -> str:
    """Return a workflow command.

    Args:
        kind: ``"error"``, ``"warning"`` or ``"notice"``.
        title: The annotation's heading; names in it cannot end it or begin another command.
        message: Its text, likewise.
    """
    return f"::{kind} title={_property(title)}::{_data(message)}"


def _lines(found: GateResult) -> Iterator[str]:
    for result in found.results:
        if not result.holds:
            yield command("error", f"{_TITLE}: {rule_title(result)}", violation(result))
        if result.uncertain:
            first = f"{loss_line(result, result.uncertain[0])}, which may be chance{others(result.uncertain)}."
            yield command("warning", f"{_TITLE}: {rule_title(result)}", first)
    if found.holds:
        yield command("notice", _TITLE, f"Every rule holds ({len(found.results)} tested).")
    for note in found.notes:
        yield command("notice", _TITLE, note)


def _data(text: str) -> str:
    # The sign of percent first: it begins the other escapes. They leave line breaks as escapes, and no other controls.
    return printable(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
