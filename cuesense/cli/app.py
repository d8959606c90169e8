"""The application: one table of commands."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from cuesense.cli.analyze import analyze
from cuesense.cli.audit import audit
from cuesense.cli.check import check
from cuesense.cli.compare import compare
from cuesense.cli.demo import demo
from cuesense.cli.list import list_
from cuesense.cli.recommend import recommend
from cuesense.cli.report import report
from cuesense.cli.score import score
from cuesense.cli.transfer import transfer
from cuesense.cli.verify import verify

app = typer.Typer(
    name="cuesense",
    help=(
        "Which classes rely on shape, color or texture, and how far each may be augmented.\n\n\b\nExamples:\n"
        "  cuesense demo\n  cuesense analyze model.pt2 --dataset photos/val --class-names imagenet\n"
        "  cuesense score predictions.csv\n"
        "  cuesense recommend cuesense-out --train photos/train --format torchvision\n"
        "  cuesense verify cuesense-out --train photos/train --test photos/test\n"
        "  cuesense compare before after\n"
        "  cuesense check after --baseline before --max-drop 0.01\n"
        "  cuesense audit runs.csv --dataset photos/test\n"
        "  cuesense list perturbations"
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

_COMMANDS = (
    ("analyze", analyze, "Measure a model and write its profile and report."),
    ("score", score, "Label classes from a table of stored predictions."),
    ("recommend", recommend, "Write the safe augmentations for a training script."),
    ("verify", verify, "Train with and without the recommended policies."),
    ("audit", audit, "Say who pays for the average, over many runs."),
    ("transfer", transfer, "Say which classes of another task pay for a regularizer."),
    ("compare", compare, "Show where two models differ, class by class."),
    ("check", check, "Hold a model to its accuracy, for CI."),
    ("demo", demo, "Run the main job on the planted world."),
    ("report", report, "Make the report page from a profile."),
    ("list", list_, "List models, datasets, perturbations, exporters, presets."),
)
for _name, _function, _short in _COMMANDS:
    app.command(name=_name, short_help=_short)(_function)


def main() -> NoReturn:
    """Run the command line."""
    app()
    sys.exit(0)
