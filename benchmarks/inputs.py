"""Give the command line every kind of file, folder and command that users have, and compare with the right answers.

    PYTHONPATH=. python benchmarks/inputs.py --output inputs.csv
    PYTHONPATH=. python benchmarks/inputs.py --part weights --only ema --keep kept
    PYTHONPATH=. python benchmarks/inputs.py --unseen

Each kind writes its files into a folder of its own and names the arguments of ``cuesense analyze`` and the right
answer: it works (exit code 0, and the clean accuracy is that of the same network on the same images by plain torch),
or it is refused in one sentence that names the true cause and the way out. What came is one of

- works, right refusal;
- right warning: another accuracy, which nothing can know without a probe, and a warning that names the flags;
- unsaid: the true accuracy, without the sentence about a choice that was made (which weights, which split);
- refused, can work: a sentence, where the input could be used;
- misleading: a refusal without the true cause or the way out;
- wrong, said: another accuracy than the true one, and a sentence that warns of it;
- silently wrong: another accuracy without a word, or something left out without a word;
- not made: the benchmark could not make the input here;
- traceback: anything else than an answer or a sentence, or more than a minute of the processor's time.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import logging
import os
import re
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

import torch
from typer.testing import CliRunner

from benchmarks.inputs_world import Kind, Place, World
from cuesense.cli.app import app

_FILES = ("weights", "files", "commands", "formats", "scripts", "readings", "tables", "readers", "names", "folders")
_FILES += ("images",)

_SECONDS = 60
_LIMITS = ((signal.SIGPROF, signal.ITIMER_PROF, _SECONDS), (signal.SIGALRM, signal.ITIMER_REAL, 10 * _SECONDS))
# What warns of an accuracy that is not the true one; that something was assumed is not yet a warning.
_WARNS = r"far (better|higher)|higher accuracy|--probe|better than (chance|guessing)|near chance|may be wrong"
_WARNS += r"|another reading"
GOOD = ("works", "right refusal", "right warning")
OUTCOMES = (
    *GOOD,
    "unsaid",
    "refused, can work",
    "misleading",
    "wrong, said",
    "silently wrong",
    "traceback",
    "not made",
)


@dataclass(frozen=True)
class Answer:
    """What the command line answered to one kind.

    Attributes:
        part: Who mends it.
        kind: Its name.
        expected: "works" or "refused".
        got: One of OUTCOMES.
        code: The exit code.
        truth: The true accuracy, empty where the input cannot be used.
        accuracy: The clean accuracy of the profile, empty where there is none.
        seconds: How long it took, in seconds of the processor.
        lacking: Words that the answer should have had.
        sentence: What stderr said, with the remarks of the result.
        command: The arguments.
        why: Why the right answer is right.
    """

    part: str
    kind: str
    expected: str
    got: str
    code: int
    truth: str
    accuracy: str
    seconds: float
    lacking: str
    sentence: str
    command: str
    why: str


class _TooSlowError(BaseException):
    """A run took too long; nothing may catch it as an error of its own."""


def main() -> int:
    """Run the kinds, print the counts, and return 1 where an answer was not right."""
    options = _options()
    # Nothing here is fetched: a library that asks its hub would wait for it.
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    os.environ.pop("CUESENSE_DATA", None)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    found = []
    with _folder(options.keep) as folder:
        world = World(folder)
        print(f"true accuracy of the usual network: {world.usual_truth:.1%}", flush=True)
        for kind in _kinds(options):
            answer = _run(kind, world)
            found.append(answer)
            if answer.got not in GOOD or options.verbose:
                print(f"{answer.got:18} {answer.part}/{answer.kind}: {answer.sentence[:300]}", flush=True)
    _print_counts(found)
    if options.output is not None:
        _write_csv(options.output, found)
    if options.failures is not None:
        options.failures.write_text(_failures(found), encoding="utf-8")
    return int(any(answer.got not in GOOD for answer in found))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Give the command line every kind of input.")
    parser.add_argument("--part", action="append", help="only kinds of this part; may be repeated")
    parser.add_argument("--file", action="append", choices=_FILES, help="only kinds of inputs_FILE.py; may be repeated")
    parser.add_argument("--only", help="only kinds whose names match this regular expression")
    parser.add_argument("--unseen", action="store_true", help="the kinds that nobody tuned for, instead of the others")
    parser.add_argument("--output", type=Path, help="CSV file for the answers")
    parser.add_argument("--failures", type=Path, help="Markdown file for the answers that are not right, by part")
    parser.add_argument("--keep", type=Path, help="folder for the inputs, which stay there")
    parser.add_argument("--verbose", action="store_true", help="print right answers as well")
    return parser.parse_args()


def _kinds(options: argparse.Namespace) -> Iterator[Kind]:
    files = ("unseen",) if options.unseen else options.file or _FILES
    for name in files:
        for kind in importlib.import_module(f"benchmarks.inputs_{name}").KINDS:
            wanted = not options.part or kind.part in options.part
            if wanted and (options.only is None or re.search(options.only, kind.name)):
                yield kind


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name).resolve()


def _run(kind: Kind, world: World) -> Answer:
    (world.folder / kind.part).mkdir(exist_ok=True)
    # Names that differ in punctuation alone would share a folder.
    number = len(list((world.folder / kind.part).iterdir()))
    plain = re.sub(r"\W+", "-", kind.name)
    folder = world.folder / kind.part / f"{number:03d}-{plain}"
    folder.mkdir()
    (folder / "usernet.py").write_text((world.folder / "usernet.py").read_text(encoding="utf-8"), encoding="utf-8")
    place = Place(folder, world)
    # Whole modules are pickled by the name of their module.
    sys.modules["usernet"] = world.usernet
    with _inside(folder):
        try:
            arguments = [str(part) for part in kind.make(place)]
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            said = f"{type(error).__name__}: {error} ({where})"
            return Answer(
                kind.part, kind.name, "", "not made", -1, "", "", 0.0, "", said, "", "a mistake of the benchmark"
            )
        _forget(world.folder)
        started = time.process_time()
        # The table of readings is an answer without an accuracy.
        probed = "--probe" in arguments
        code, text = _answer(
            ["analyze", *arguments, "--config", str(world.folder / "tiny.toml"), "--output", "out"], whole=probed
        )
        seconds = time.process_time() - started
        accuracy = _accuracy(folder / "out" / "profile.json") if code == 0 else None
    got, lacking = _judged(kind, place, code, text, place.truth if probed else accuracy)
    shown = " ".join(part.replace(str(world.folder), "") for part in arguments)
    truth = f"{place.truth:.4f}" if kind.right.works else ""
    return Answer(
        kind.part,
        kind.name,
        "works" if kind.right.works else "refused",
        got,
        code,
        truth,
        "" if accuracy is None else f"{accuracy:.4f}",
        round(seconds, 2),
        " + ".join(lacking),
        _shown(text).replace(str(world.folder), ""),
        shown,
        kind.why,
    )


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in a folder, and restore the paths of modules afterwards."""
    here, path = Path.cwd(), list(sys.path)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        sys.path[:] = path


def _forget(root: Path) -> None:
    """Forget modules that come from below a folder: each run imports the user's code of its own folder."""
    ours = [name for name, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(str(root))]
    for name in ours:
        del sys.modules[name]


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise _TooSlowError


def _answer(arguments: list[str], *, whole: bool) -> tuple[int, str]:
    """Return the exit code and what was said, with or without tables.

    A traceback counts as exit code 1, too much time as 124.
    """
    # Time of the processor, so that a busy machine makes no kind slow; a wait for a network takes none, and is ended.
    for kind, timer, seconds in _LIMITS:
        signal.signal(kind, _too_slow)
        signal.setitimer(timer, seconds)
    before = logging.root.manager.disable
    try:
        result = CliRunner().invoke(app, arguments)
    except _TooSlowError:
        return 124, f"no answer after {_SECONDS} s"
    finally:
        for _, timer, _ in _LIMITS:
            signal.setitimer(timer, 0)
        logging.disable(before)
    error = result.exception
    if error is not None and not isinstance(error, SystemExit):
        place = traceback.extract_tb(error.__traceback__)[-1]
        return 1, f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
    said = result.stderr
    if not result.exit_code:
        said += result.stdout if whole else _remarks(result.stdout)
    return result.exit_code, " ".join(said.split())


def _shown(text: str) -> str:
    """Return an answer from the error on, or without the remarks that every run of one condition has."""
    start = text.find("cuesense: ")
    usual = r"With \d+ images of a class,.*?all of them are recognized\.|No cue is named without.*?not apply\."
    return text[start:] if start >= 0 else re.sub(usual, "", text).strip()


def _remarks(stdout: str) -> str:
    """Return what the result says beside its tables."""
    start = re.search(r"^(Warning|Assumed|Note|Remark)", stdout, re.MULTILINE)
    return f"\n{stdout[start.start() :]}" if start else ""


def _accuracy(profile: Path) -> float | None:
    if not profile.is_file():
        return None
    found: float | None = json.loads(profile.read_text(encoding="utf-8"))["summary"]["clean_accuracy"]
    return found


def _judged(kind: Kind, place: Place, code: int, text: str, accuracy: float | None) -> tuple[str, list[str]]:
    """Return the outcome and the words that the answer lacks."""
    right = kind.right
    lacking = [word for word in right.words if not re.search(word, text, re.IGNORECASE)]
    if code not in (0, 2):
        return "traceback", lacking
    if code == 2:
        if not right.works:
            return ("misleading" if lacking else "right refusal"), lacking
        if not right.refusal:
            return "refused, can work", []
        lacking = [word for word in right.refusal if not re.search(word, text, re.IGNORECASE)]
        return ("misleading" if lacking else "right refusal"), lacking
    if not right.works:
        return ("silently wrong" if lacking or not right.words else "wrong, said"), lacking
    if accuracy is None or abs(accuracy - place.truth) > place.tolerance:
        lacking = [word for word in right.warned or (_WARNS,) if not re.search(word, text, re.IGNORECASE)]
        said = "right warning" if right.warned else "wrong, said"
        return ("silently wrong" if lacking else said), lacking
    return ("silently wrong" if right.essential else "unsaid") if lacking else "works", lacking


def _print_counts(found: list[Answer]) -> None:
    parts = sorted({answer.part for answer in found})
    print(f"\n{'':10}" + "".join(f"{outcome:>19}" for outcome in OUTCOMES) + f"{'kinds':>8}")
    for part in (*parts, "all"):
        of_part = [answer for answer in found if part in (answer.part, "all")]
        counts = Counter(answer.got for answer in of_part)
        print(f"{part:10}" + "".join(f"{counts[outcome]:>19}" for outcome in OUTCOMES) + f"{len(of_part):>8}")
    can = [answer for answer in found if answer.expected == "works"]
    print(f"{sum(answer.got == 'works' for answer in can)} of {len(can)} kinds that can work do")
    print(f"{sum(answer.seconds for answer in found):.0f} s, the slowest: ", end="")
    print(", ".join(f"{answer.kind} {answer.seconds:.0f} s" for answer in sorted(found, key=lambda a: -a.seconds)[:5]))


def _write_csv(path: Path, found: list[Answer]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(Answer.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(asdict(answer) for answer in found)


def _failures(found: list[Answer]) -> str:
    """Return the answers that are not right, by part and outcome, as Markdown."""
    lines = ["# Kinds of inputs whose answer is not right", ""]
    for part in sorted({answer.part for answer in found}):
        wrong = [answer for answer in found if answer.part == part and answer.got not in GOOD]
        lines += [f"## {part}: {len(wrong)} of {sum(answer.part == part for answer in found)}", ""]
        for answer in sorted(wrong, key=lambda answer: (-OUTCOMES.index(answer.got), answer.kind)):
            accuracy = f" Accuracy {answer.accuracy} for a true {answer.truth}." if answer.accuracy else ""
            lacks = f" Words that should be there: `{answer.lacking}`." if answer.lacking else ""
            lines += [
                f"- **{answer.kind}** ({answer.got}; right: {answer.expected}).{accuracy}{lacks} {answer.why}",
                f"  - `cuesense analyze {answer.command}`",
                f"  - {answer.sentence[:700] or '(nothing said)'}",
            ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
