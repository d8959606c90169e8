"""The application: the table of commands, and the options that stand before a command's name."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from cuesense.cli.analyze import analyze
from cuesense.cli.audit import audit
from cuesense.cli.check import check
from cuesense.cli.compare import compare
from cuesense.cli.demo import demo
from cuesense.cli.errors import user_errors
from cuesense.cli.explain import explain
from cuesense.cli.list import list_
from cuesense.cli.merge import merge
from cuesense.cli.preview import preview
from cuesense.cli.recommend import recommend
from cuesense.cli.report import report
from cuesense.cli.score import score
from cuesense.cli.signals import end_once
from cuesense.cli.terminal import print_plainly, verbosity
from cuesense.cli.transfer import transfer
from cuesense.cli.verify import verify
from cuesense.errors import SettingsError, expected

app = typer.Typer(
    name="cuesense",
    no_args_is_help=True,
    # Plain text in help and in tracebacks: rich's boxes break lines that users copy, such as the examples.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

# A new command is a file in this folder and a line here.
COMMANDS = (
    ("analyze", analyze, "Measure what a model relies on; write a profile and a report."),
    ("merge", merge, "Build the profile of an analysis in parts."),
    ("score", score, "Make a profile from a table of stored predictions."),
    ("recommend", recommend, "Write the safe augmentations for a training script."),
    ("verify", verify, "Train with and without the recommended policies."),
    ("audit", audit, "Report which classes a regularizer harms, over many runs."),
    ("transfer", transfer, "Report which classes of another task a regularizer harms."),
    ("compare", compare, "Show where two models differ, class by class."),
    ("check", check, "Fail where a model lost accuracy, for CI."),
    ("demo", demo, "Analyze a shipped model on synthetic images."),
    ("report", report, "Make the report page from a profile."),
    ("explain", explain, "Show one class of a profile in the terminal."),
    ("preview", preview, "Draw the perturbations on your own images."),
    ("list", list_, "List models, datasets, perturbations, exporters, presets."),
)
for _name, _function, _short in COMMANDS:
    app.command(name=_name, short_help=_short)(_function)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cuesense {version('cuesense')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Show what is done, and the traceback of an error.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Show no progress and no remarks on stderr, only errors.")
    ] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Which classes rely on shape, color or texture, and how far each may be augmented.

    Results go to files and to stdout; progress, remarks and errors go to stderr. -v and -q stand before the name of
    the command.

    \b
    Examples:
      cuesense demo
      cuesense preview photos/val
      cuesense analyze model.pt2 --dataset photos/val --class-names imagenet
      cuesense -q analyze model.pt2 --dataset photos/val --json
      cuesense score predictions.csv
      cuesense explain cuesense-out lemon
      cuesense recommend cuesense-out --train photos/train --format torchvision
      cuesense verify cuesense-out --train photos/train --test photos/test
      cuesense compare before after
      cuesense check after --baseline before --max-drop 0.01
      cuesense audit runs.csv --dataset photos/test
      cuesense list perturbations
    """
    with user_errors():
        if verbose and quiet:
            raise SettingsError(expected("the output on stderr", "verbose or quiet", "-v and -q", "Leave one out"))
    # Entered here and left when the command is done, since typer calls commands after this function has returned.
    context.with_resource(verbosity(verbose=verbose, quiet=quiet))


def main() -> NoReturn:
    """Run the command line."""
    end_once()
    print_plainly()
    # Named here, because ``python -m cuesense`` would else install completion for python.
    app(prog_name="cuesense")
    # Not reached, since typer exits; it tells type checkers that nothing comes after.
    sys.exit(0)
