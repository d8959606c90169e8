"""Parts of a run: named, taken from launchers, held to the same arguments, and equal to the whole."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import cuesense
from cuesense.errors import ModelError, OutputError, SettingsError, UnfinishedError
from cuesense.inference import units
from cuesense.inference.options import WHOLE, Part
from cuesense.workflows.analyze import analyze
from cuesense.workflows.parts import FILE, chosen_part, part_in, part_of, recorded, shared_arguments, text_of
from tests.helpers.small_networks import Colors, Meanest, classifier


@pytest.mark.parametrize(("text", "part"), [("1/1", WHOLE), ("2/3", Part(2, 3)), ("merge/4", Part(0, 4))])
def test_parts_are_named(text: str, part: Part) -> None:
    assert part_of(text) == part
    assert text_of(part) == text


@pytest.mark.parametrize("text", ["", "1", "4/3", "1/0", "0/0", "-1/3", "a/b", "1/2/3", "1.5/3", "merge", "merge/0"])
def test_what_names_no_part_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="part to be K/N"):
        part_of(text)


def test_counting_parts_from_0_is_answered() -> None:
    with pytest.raises(SettingsError, match=r"but got '0/3'\. Add 1 in every job: parts count from 1/3 to 3/3\.$"):
        part_of("0/3")


@pytest.mark.parametrize(
    ("environment", "part"),
    [
        ({}, None),
        ({"RANK": "0", "WORLD_SIZE": "1"}, None),
        ({"RANK": "3"}, None),
        ({"RANK": "2", "WORLD_SIZE": "3"}, Part(3, 3)),
        ({"SLURM_ARRAY_TASK_ID": "5"}, None),
        ({"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "4"}, Part(1, 4)),
        ({"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "1"}, None),
    ],
)
def test_launchers_name_parts(environment: dict[str, str], part: Part | None) -> None:
    found = part_in(environment)
    assert (found and found[0]) == part


@pytest.mark.parametrize(
    "environment",
    [
        {"RANK": "3", "WORLD_SIZE": "3"},
        {"RANK": "x", "WORLD_SIZE": "3"},
        {"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "4"},
        # The second of the tasks 1, 5 and 9: nothing says that it is the second.
        {"SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MIN": "1"}
        | {"SLURM_ARRAY_TASK_STEP": "1"},
        {"SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MIN": "1"}
        | {"SLURM_ARRAY_TASK_STEP": "2"},
    ],
)
def test_launchers_that_name_no_part_are_refused(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"the part that the launcher names .*Give part K/N"):
        part_in(environment)


@pytest.mark.parametrize(("task", "number"), [("1", 1), ("3", 2), ("7", 4)])
def test_job_arrays_begin_and_step_anywhere(task: str, number: int) -> None:
    array = {"SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_STEP": "2"}
    found = part_in(array | {"SLURM_ARRAY_TASK_ID": task})
    assert found is not None
    assert found[0] == Part(number, 4)


def test_a_part_that_nobody_asked_for_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    part, said = chosen_part(None)
    assert part == Part(2, 3)
    assert said == "This is part 2 of 3 (RANK=1, WORLD_SIZE=3); --part 1/1 does all of the work."
    assert chosen_part("1/1") == (WHOLE, "")


def kept(folder: Path, arguments: dict[str, Any], part: Part) -> None:
    with shared_arguments(folder, arguments, part):
        (folder / "outcomes").mkdir(exist_ok=True)
        (folder / "outcomes" / "shard-0.npz").write_text("")


def test_parts_must_have_the_same_arguments(tmp_path: Path) -> None:
    kept(tmp_path, {"seed": 1, "workers": 2, "dataset": Path("d")}, Part(1, 2))
    kept(tmp_path, {"seed": 1, "workers": 7, "dataset": Path("d")}, Part(2, 2))
    assert recorded(tmp_path) == (2, Path.cwd(), {"seed": 1, "dataset": "d"})
    for arguments, part, named in (
        ({"seed": 2, "dataset": "d"}, Part(2, 2), "other seed than"),
        ({"seed": 1, "dataset": "d"}, Part(2, 3), r"other part \(K/N\) than"),
        ({"seed": 1, "dataset": "d", "split": "val"}, Part(2, 2), "other split than"),
    ):
        with pytest.raises(OutputError, match=named):
            kept(tmp_path, arguments, part)
    assert recorded(tmp_path) == (2, Path.cwd(), {"seed": 1, "dataset": "d"})


def test_a_part_of_which_nothing_came_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "shared"
    seen = []
    with suppress(KeyboardInterrupt), shared_arguments(folder, {"seed": 0}, Part(1, 2)):
        seen.append(recorded(folder).arguments)
        raise KeyboardInterrupt
    assert seen == [{"seed": 0}]
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_found_nothing_to_do_leaves_its_arguments(tmp_path: Path) -> None:
    with suppress(UnfinishedError), shared_arguments(tmp_path, {"seed": 0}, Part(1, 2)):
        raise UnfinishedError(1, 2, (2,))
    assert recorded(tmp_path).arguments == {"seed": 0}


def test_a_part_that_fails_takes_nothing_from_one_that_runs(tmp_path: Path) -> None:
    with shared_arguments(tmp_path, {"seed": 0}, Part(1, 2)):
        with pytest.raises(KeyboardInterrupt), shared_arguments(tmp_path, {"seed": 0}, Part(2, 2)):
            raise KeyboardInterrupt
        (tmp_path / "outcomes").mkdir()
        (tmp_path / "outcomes" / "shard-0.npz").write_text("")
    assert recorded(tmp_path).arguments == {"seed": 0}


@pytest.mark.parametrize("content", [None, "{", "[]", json.dumps({"parts": "x", "folder": ".", "arguments": {}})])
def test_a_folder_without_parts_is_refused(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / FILE).write_text(content)
    with pytest.raises(OutputError, match=r"no readable parts\.json"):
        recorded(tmp_path)


def results(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder, without the time in the profile and the page."""
    profile = json.loads((folder / "profile.json").read_text())
    profile["provenance"]["created"] = None
    names = ("classes.csv", "curves.csv", "predictions.parquet", "pictures.parquet")
    return {name: (folder / name).read_bytes() for name in names} | {"profile": json.dumps(profile).encode()}


def measured(folder: Path, part: str | None = None, network: Any = None, **changes: Any) -> cuesense.Profile:
    options: dict[str, Any] = {"config": "quick", "batch_size": 8, "output": folder, "part": part}
    return analyze(classifier(network or Meanest()), Colors(120), **options | changes)


def test_parts_in_any_order_twice_and_killed_are_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "SHARD_SIZE", 8)
    measured(tmp_path / "whole")

    class Killed(Meanest):
        calls = 0

        def forward(self, images: Any) -> Any:
            Killed.calls += 1
            if Killed.calls == 40:
                raise KeyboardInterrupt
            return super().forward(images)

    shared = tmp_path / "shared"
    for part, missing in (("3/3", (1, 2)), ("3/3", (1, 2)), ("2/3", (1,))):
        with pytest.raises(UnfinishedError) as caught:
            measured(shared, part)
        assert caught.value.parts == missing
        assert not (shared / "profile.json").exists()
    with pytest.raises(KeyboardInterrupt):
        measured(shared, "1/3", Killed())
    with pytest.raises(UnfinishedError, match=r"^Part 1 lacks predictions\. Run it, such as with part 1/3;"):
        measured(shared, "merge/3")
    measured(shared, "1/3")
    assert results(shared) == results(tmp_path / "whole")
    (shared / "profile.json").unlink()
    measured(shared, "merge/3")
    assert results(shared) == results(tmp_path / "whole")


def test_a_share_without_a_folder_and_a_restart_of_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="output to be given with part"):
        measured(None, "1/2")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="left out with part"):
        measured(tmp_path, "1/2", restart=True)


def test_the_same_part_runs_once_at_a_time_and_others_beside_it(tmp_path: Path) -> None:
    from cuesense.stores.lock import locked

    with locked(tmp_path / "o" / ".part-1-of-2"):
        with pytest.raises(OutputError, match="used by one run at a time"):
            measured(tmp_path / "o", "1/2")
        with pytest.raises(UnfinishedError):
            measured(tmp_path / "o", "2/2")


@pytest.mark.parametrize("others", [False, True])
def test_a_part_that_fails_first_leaves_the_folder_to_others_alone(others: bool, tmp_path: Path) -> None:
    class Broken(Meanest):
        def forward(self, images: Any) -> Any:
            # What is tried before the analysis is of fewer images.
            if len(images) >= 8 and (tmp_path / "o" / "outcomes").exists():
                raise RuntimeError("too late")
            return super().forward(images)

    other = tmp_path / "o" / ".part-2-of-2"
    if others:
        other.mkdir(parents=True)
    with pytest.raises(ModelError, match="too late"):
        measured(tmp_path / "o", "1/2", Broken())
    left = [path.name for path in tmp_path.rglob("*") if path.name not in ("o", other.name)]
    assert left == (["outcomes", "settings.json"] if others else []), left
