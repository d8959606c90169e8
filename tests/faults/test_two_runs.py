"""Two runs in one folder: the second is refused, and files of other runs and damaged ones are never mixed in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cuesense.stores.lock import locked
from tests.faults.conftest import Faults
from tests.helpers.fault_runs import COMMANDS, content
from tests.helpers.kept_files import damaged

OTHER = "1.0_0.pt"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_that_a_run_holds_is_refused_and_stays_as_it_is(faults: Faults, command: str, tmp_path: Path) -> None:
    output = tmp_path / "out"
    faults.inputs.prepare(command, output)
    held = output / "verified" if command == "verify" else output
    with locked(held):
        before = sorted(output.rglob("*"))
        run = faults.server.start(faults.inputs.command(command, output), output)
        assert run.wait() == 2, run.said
        assert "Traceback" not in run.said
        assert f"cuesense: Expected the output folder '{held}' to be used by one run at a time, but" in run.said
        assert sorted(output.rglob("*")) == before


@pytest.mark.parametrize("networks", [("0.0_0.pt", OTHER), ("0.0_0.pt", "0.0_0.pt")])
@pytest.mark.parametrize("restart", [[], ["--restart"]])
def test_of_two_runs_at_once_one_ends_as_if_alone(
    faults: Faults, networks: tuple[str, str], restart: list[str], tmp_path: Path
) -> None:
    runs = [
        faults.server.start([*faults.inputs.command("analyze", tmp_path / "out", network), *restart], tmp_path)
        for network in networks
    ]
    codes = [run.wait() for run in runs]
    assert set(codes) <= {0, 2}
    assert 0 in codes
    left = content(tmp_path / "out")
    # Where one began after the other had ended, both may have ended well: the folder is the later one's.
    assert any(
        left == faults.undisturbed("analyze", network)[0]
        for network, code in zip(networks, codes, strict=True)
        if code == 0
    )
    for run in runs:
        assert run.code == 0 or "one run at a time" in run.said or "results with other" in run.said, run.said


@pytest.mark.parametrize("command", ["report", "check", "recommend", "score"])
def test_reading_a_folder_that_a_run_holds_is_allowed(faults: Faults, command: str, tmp_path: Path) -> None:
    folder = faults.undisturbed("analyze")[2]
    commands: dict[str, list[object]] = {
        "report": ["report", folder, "--output", tmp_path / "page.html"],
        "check": ["check", folder, "--max-drop", "0.99"],
        "recommend": ["recommend", folder, "--tolerance", "0.6"],
        "score": ["score", folder / "predictions.parquet", "--output", tmp_path / "scored"],
    }
    with locked(folder):
        run = faults.server.start(commands[command], tmp_path)
        assert run.wait() == 0, run.said


def test_a_shard_of_another_run_is_refused_by_name(faults: Faults, tmp_path: Path) -> None:
    own, other = (faults.undisturbed("analyze", network)[2] for network in ("0.0_0.pt", OTHER))
    output = tmp_path / "out"
    shutil.copytree(own, output)
    # The same images under the same conditions: the same name.
    shard = min((other / "outcomes").glob("shard-*.npz"))
    shutil.copy(shard, output / "outcomes")
    before = content(output)
    run = faults.server.start(faults.inputs.command("analyze", output), output)
    assert run.wait() == 2, run.said
    assert f"{shard.name} is from a run with other settings. Delete it, or give" in run.said
    assert content(output) == before
    again = faults.server.start([*faults.inputs.command("analyze", output), "--restart"], output)
    assert again.wait() == 0, again.said
    assert content(output) == faults.undisturbed("analyze")[0]


def test_a_shard_under_another_name_is_refused_by_name(faults: Faults, tmp_path: Path) -> None:
    output = tmp_path / "out"
    shutil.copytree(faults.undisturbed("analyze")[2], output)
    shards = output / "outcomes"
    name = min(shards.glob("shard-*.npz")).name
    shutil.copy(shards / name, shards / "shard-00001.npz")
    run = faults.server.start(faults.inputs.command("analyze", output), output)
    assert run.wait() == 2, run.said
    assert f"shard-00001.npz was written as {name}" in run.said


@pytest.mark.parametrize("command", ["analyze", "recommend", "verify", "audit", "transfer"])
def test_damaged_parts_are_made_again_with_a_word(faults: Faults, command: str, tmp_path: Path) -> None:
    expected, _, undisturbed = faults.undisturbed(command)
    output = tmp_path / "out"
    shutil.copytree(undisturbed, output)
    part = sorted(output.rglob("*.npz"))[0]
    part.write_bytes(damaged(part.read_bytes(), "cut"))
    run = faults.server.start(faults.inputs.command(command, output), output)
    assert run.wait() == 0, run.said
    assert f"{part} is damaged: what it held is computed again." in run.said
    assert content(output) == expected
