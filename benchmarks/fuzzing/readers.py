"""The readers that are fed with damaged files: each does with a file what the commands do with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.fuzzing.byte_mutations import mutate_bytes, mutate_png
from benchmarks.fuzzing.container_mutations import mutate_parquet, mutate_safetensors, mutate_zip
from benchmarks.fuzzing.good_files import CLASSES, SAMPLES, GoodFile, network
from benchmarks.fuzzing.text_mutations import mutate_csv, mutate_json, mutate_toml

_STRUCTURED: dict[str, Callable[[Random, bytes], bytes]] = {
    ".json": mutate_json,
    ".csv": mutate_csv,
    ".toml": mutate_toml,
    ".parquet": mutate_parquet,
    ".pt": mutate_zip,
    ".pt2": mutate_zip,
    ".pth": mutate_zip,
    ".ckpt": mutate_zip,
    ".safetensors": mutate_safetensors,
    ".png": mutate_png,
}
_FORMATS = ("json", "yaml", "torchvision", "kornia", "albumentations", "timm")


def damaged(random: Random, good: list[GoodFile]) -> GoodFile:
    """Return one of the good files, damaged: well-formed in most of the cases where its format is known."""
    chosen = random.choice(good)
    content, structured = chosen.content, _STRUCTURED.get(chosen.suffix)
    others = [other.content for other in good]
    if structured is not None and random.random() < 0.7:
        content = structured(random, content)
        if random.random() < 0.95:
            return GoodFile(chosen.suffix, content)
    return GoodFile(chosen.suffix, mutate_bytes(random, content, others))


def read_profile(path: Path, random: Random) -> None:
    """Read a profile, show it, and do one other thing that commands do with it."""
    from cuesense import check, compare, export, recommend
    from cuesense.policies.policy import SCOPES
    from cuesense.reports.html.profile import render as page
    from cuesense.reports.terminal.profile import render
    from cuesense.schemas.profile import Profile
    from cuesense.workflows.profile_files import write_outputs

    known = Profile.read(path)
    known.to_json().encode()
    page(known).encode()
    scope, library = random.choice(SCOPES), random.choice(_FORMATS)
    uses: tuple[Callable[[], Any], ...] = (
        lambda: compare(known, known).to_json(),
        lambda: _printed(render(known)),
        lambda: write_outputs(known, path.parent / "out"),
        lambda: check(known, max_drop=0.1, max_worst_class_loss=0.1),
        lambda: check(known, baseline=known, max_drop=0.1),
        lambda: export(recommend(known, scope), known, library),
        lambda: export(recommend(known, scope, tolerance=0.3), known, library),
    )
    random.choice(uses)()


def _printed(found: Any) -> None:
    from rich.console import Console

    console = Console(width=100)
    with console.capture():
        console.print(found)


@cache
def _command_line() -> Any:
    """Return the commands, which typer takes a while to build from their functions."""
    from typer.main import get_command

    from cuesense.cli.app import app

    return get_command(app)


def run_command(path: Path, random: Random) -> None:
    """Run a command with a profile as a user does."""
    from click.testing import CliRunner

    from cuesense.errors import CuesenseError

    good = path.parent / "good.json"
    out = path.parent / "out"
    commands = (
        ["report", path, "--output", out / "report.html"],
        ["check", path, "--max-drop", "0.1", "--json"],
        ["check", good, "--baseline", path, "--max-worst-class-loss", "0.1"],
        ["compare", good, path],
        ["compare", path, path, "--json"],
        ["recommend", path, "--format", random.choice(_FORMATS)],
        ["recommend", path, "--grouped", "--format", "json"],
        ["recommend", path, "--per-class", "--tolerance", "0.2"],
        ["verify", path, "--train", "nowhere/x", "--test", "nowhere/x", "--output", out / "verified"],
        ["analyze", path, "--dataset", "nowhere/x", "--output", out / "analyzed", "--config", "quick"],
        ["score", path],
    )
    arguments = random.choice(commands)
    found = CliRunner().invoke(_command_line(), [str(argument) for argument in arguments])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    if found.exit_code not in (0, 1, 2):
        raise RuntimeError(f"exit code {found.exit_code} of {arguments[0]}")
    if "Traceback" in found.output:
        raise RuntimeError(f"a traceback is printed by {arguments[0]}")
    if found.exit_code:
        raise CuesenseError(found.stderr.strip())


def _read_document(name: str) -> Callable[[Path, Random], None]:
    def read(path: Path, _: Random) -> None:
        from cuesense.schemas.schema_files import CONTRACTS

        found: Any = CONTRACTS[name].read(path)
        found.to_json().encode()
        if hasattr(found, "to_frame"):
            found.to_frame().to_csv().encode()

    return read


def read_audit(path: Path, random: Random) -> None:
    """Read an audit and show it."""
    from cuesense.reports.html.audit import render as page
    from cuesense.reports.terminal.audit import render
    from cuesense.schemas.audit import Audit

    _read_document("audit")(path, random)
    known = Audit.read(path)
    page(known)
    _printed(render(known))


def read_comparison(path: Path, random: Random) -> None:
    """Read a comparison and show it."""
    from cuesense.reports.terminal.comparison import render
    from cuesense.schemas.comparison import Comparison

    _read_document("comparison")(path, random)
    _printed(render(Comparison.read(path)))


def read_gate(path: Path, random: Random) -> None:
    """Read the result of a gate and show it."""
    from cuesense.reports.junit import junit
    from cuesense.reports.terminal import gate
    from cuesense.schemas.gate import GateResult

    _read_document("gate")(path, random)
    known = GateResult.read(path)
    gate.lines(known)
    junit(known)


def read_verification(path: Path, random: Random) -> None:
    """Read a verification and show it."""
    from cuesense.reports.charts.forecast_outcome import scatter
    from cuesense.reports.terminal.verification import render
    from cuesense.schemas.verification import Verification

    _read_document("verification")(path, random)
    known = Verification.read(path)
    _printed(render(known))
    scatter(known)


def read_config(path: Path, _: Random) -> None:
    """Read a configuration and list its conditions."""
    from cuesense.config import load_config

    found = load_config(str(path))
    found.conditions()
    found.to_dict()


def read_class_names(path: Path, _: Random) -> None:
    """Read class names and match the classes of a dataset to them."""
    from cuesense.datasets.classes import match_classes, read_class_names

    match_classes(CLASSES, read_class_names(str(path)))


def read_groups(path: Path, _: Random) -> None:
    """Read groups of classes."""
    from cuesense.analysis.groups import read_groups

    read_groups(path, CLASSES)


def read_accepted(path: Path, random: Random) -> None:
    """Read accepted labels, of images like those of a folder or of ImageNet."""
    from cuesense.sweeps.accepted_labels import read_accepted

    numbered = [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, len(SAMPLES) + 1)]
    labels = np.repeat(np.arange(3), 4)
    read_accepted(path, random.choice((SAMPLES, numbered)), labels, CLASSES)


def read_runs(path: Path, _: Random) -> None:
    """Read a list of checkpoints."""
    from cuesense.sweeps.run_list import read_runs

    read_runs(path)


def read_accuracies(path: Path, random: Random) -> None:
    """Read a table of accuracies, and audit it in some of the cases, which takes longer."""
    from cuesense.sweeps.accuracy_table import read_accuracies
    from cuesense.sweeps.build_audit import build_audit

    found = read_accuracies(path)
    if random.random() < 0.1:
        build_audit(found, tolerance=0.05, confidence=0.95, source={}).to_json().encode()


def read_label_table(path: Path, _: Random) -> None:
    """Read a table of images and labels, and try to decode the first image."""
    from cuesense.datasets.load import load_dataset
    from cuesense.errors import UnreadableImageError

    data = load_dataset(str(path))
    data.fingerprint.encode()
    with contextlib.suppress(UnreadableImageError):
        data[0]


def read_predictions(path: Path, random: Random) -> None:
    """Read predictions, and make a profile of them in some of the cases, which takes longer."""
    from cuesense.predictions.table import read
    from cuesense.workflows.score import score

    read(path)
    if random.random() < 0.1:
        score(path, output=path.parent / "scored")


def read_image(path: Path, _: Random) -> None:
    """Decode an image and bring it to a network's size."""
    from cuesense.datasets.formats import decode
    from cuesense.datasets.images import resize_and_crop
    from cuesense.types import Preprocessing

    resize_and_crop(decode(path), Preprocessing((16, 16), 16, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)))


def read_model(path: Path, _: Random) -> None:
    """Read a model's file; weights are filled into the network that they are of."""
    from cuesense.models.common import Loaded
    from cuesense.models.file_formats import read
    from cuesense.models.weights import fill

    found = read(path)
    if not isinstance(found, Loaded):
        fill(network(), found.weights, "the network")


READERS: dict[str, Callable[[Path, Random], None]] = {
    "profiles": read_profile,
    "command-line": run_command,
    "audits": read_audit,
    "comparisons": read_comparison,
    "gates": read_gate,
    "verifications": read_verification,
    "configs": read_config,
    "class-names": read_class_names,
    "groups": read_groups,
    "accepted-labels": read_accepted,
    "run-lists": read_runs,
    "accuracies": read_accuracies,
    "label-tables": read_label_table,
    "predictions": read_predictions,
    "images": read_image,
    "models": read_model,
}
