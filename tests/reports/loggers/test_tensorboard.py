"""A profile in TensorBoard, read back from its event file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cuesense.errors import OutputError, SettingsError
from cuesense.reports.headline import headline
from cuesense.reports.loggers.content import scalars
from cuesense.reports.loggers.tensorboard import log_to_tensorboard
from cuesense.schemas.profile import Profile
from tests.helpers.graded_profiles import graded

HOSTILE = ("a|b", "<script>", "[x](http://y)", "\x1b[31m", "*b*")


@pytest.fixture
def tensorboard():
    return pytest.importorskip("tensorboard", reason="needs TensorBoard: pip install 'cuesense[tensorboard]'")


def events(folder: Path):
    """Return what TensorBoard reads from a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def text(found, name: str) -> str:
    (event,) = found.Tensors(f"{name}/text_summary")
    return event.tensor_proto.string_val[0].decode()


@pytest.mark.usefixtures("tensorboard")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_numbers_headline_and_classes_come_back(tmp_path: Path) -> None:
    source = graded(12)
    log_to_tensorboard(source, tmp_path, step=7)
    found = events(tmp_path)
    values = {name: found.Scalars(name) for name in found.Tags()["scalars"]}
    assert {name: part[0].value for name, part in values.items()} == pytest.approx(scalars(source), rel=1e-6)
    assert {part[0].step for part in values.values()} == {7}
    for sentence in headline(source).findings:
        assert sentence.split("'")[0].split("[")[0].strip() in text(found, "cuesense/headline")
    table = text(found, "cuesense/classes").splitlines()
    assert len(table) == 2 + 12
    assert table[0] == "| name | images | clean_accuracy | cue | leans_to | why |"
    assert len({line.count("|") for line in table}) == 1


@pytest.mark.usefixtures("tensorboard")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_writer_is_written_to_and_stays_open(tmp_path: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        log_to_tensorboard(graded(3), writer, step=1)
        writer.add_scalar("own", 2.0, 1)
    assert {"own", "cuesense/clean_accuracy"} <= set(events(tmp_path).Tags()["scalars"])


class Kept:
    """A writer that keeps its texts."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def add_scalar(self, *_: object) -> None:
        """Keep nothing."""

    def add_text(self, name: str, shown: str, step: int) -> None:
        assert step == 0
        self.texts[name] = shown


def shown(source: Profile) -> dict[str, str]:
    writer = Kept()
    log_to_tensorboard(source, writer)
    return writer.texts


def test_names_end_no_cell_and_are_no_markup() -> None:
    table = shown(graded(5, names=HOSTILE))["cuesense/classes"]
    assert r"a\|b" in table
    assert r"\<script\>" in table
    assert r"\[x\](http" in table
    assert "\x1b" not in table
    assert r"\*b\*" in table


def test_of_a_thousand_classes_a_hundred_are_rows() -> None:
    assert len(shown(graded(1000))["cuesense/classes"].splitlines()) == 102


def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(SettingsError, match=r"pip install 'cuesense\[tensorboard\]'"):
        log_to_tensorboard(graded(2), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("tensorboard")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"Expected the output folder .*file to be writable, but got"):
        log_to_tensorboard(graded(2), tmp_path / "file")
    for writer in (None, 5):
        with pytest.raises(SettingsError, match=r"Expected writer to be a SummaryWriter or the folder of a run, but"):
            log_to_tensorboard(graded(2), writer)
    with pytest.raises(SettingsError, match=r"Expected the profile to be a cuesense\.Profile, but got .* type str"):
        log_to_tensorboard("out", tmp_path / "run")  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()
