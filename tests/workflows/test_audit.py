"""Audits of real checkpoints: small networks that lose grass to water the more the stronger they were regularized."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import cuesense
from cuesense.atomic_files import write_file
from cuesense.errors import CuesenseError, SettingsError
from cuesense.workflows.audit import audit
from tests.helpers.simulated_sweeps import Truth, level, simulated, table
from tests.helpers.small_networks import NAMES, SIZE, Colors
from tests.helpers.sweep_networks import ARCH, write_networks
from tests.helpers.training_setups import profile

OPTIONS = {"arch": ARCH, "image_size": SIZE, "resize": SIZE, "mean": (0.5,) * 3, "std": (0.25,) * 3}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_networks(tmp_path_factory.mktemp("sweep"))


def test_the_class_that_is_lost_is_named_with_its_rivals(runs: Path, tmp_path: Path) -> None:
    found = audit(runs, Colors(300), output=tmp_path, **OPTIONS)
    grass = found.classes[1]
    # At the strongest one a class is planted to be lost; the others are equal but for chance.
    assert found.chosen_by_mean != 1.0
    assert grass.loss_at_strongest is not None
    assert grass.loss_at_strongest > 0.3
    assert 1.0 in grass.harmed_at
    assert found.safety[2] == "unsafe"
    assert [entry.n for entry in found.classes] == [100, 100, 100]
    assert json.loads((tmp_path / "audit.json").read_text())["regularizer"] == "weight_decay"
    assert (tmp_path / "audit.csv").read_text().count("\n") == 1 + 9
    assert "grass" in (tmp_path / "audit.html").read_text()


def test_accuracies_are_those_of_a_plain_loop(runs: Path) -> None:
    data = Colors(60)
    found = audit(runs, data, **OPTIONS)
    right = np.zeros((3, 3, 3))
    for row, strength in enumerate((0.0, 0.1, 1.0)):
        for seed in range(3):
            state = torch.load(runs.parent / f"{strength}_{seed}.pt")
            for place in range(60):
                sample = data[place]
                pixel = (torch.tensor(np.asarray(sample.image)[0, 0]) / 255 - 0.5) / 0.25
                logits = state["1.weight"] @ pixel + state["1.bias"]
                right[row, seed, sample.label] += int(logits.argmax()) == sample.label
    shares = right.mean(axis=1) / 20
    assert [entry.accuracy for entry in found.classes] == pytest.approx(shares.T, abs=1e-6)


def test_the_same_call_goes_on_from_the_answers(runs: Path, tmp_path: Path) -> None:
    data = Colors(60)
    first = audit(runs, data, output=tmp_path, **OPTIONS)
    data.read.clear()
    assert audit(runs, data, output=tmp_path, **OPTIONS) == first
    # Images in memory are known by their pixels, and decoded once for all runs.
    assert len(data.read) == 60
    audit(runs, data, output=tmp_path, restart=True, **OPTIONS)
    assert data.read != []


def test_copies_of_a_checkpoint_are_pointed_out(tmp_path: Path) -> None:
    folder = write_networks(tmp_path / "sweep").parent
    (folder / "0.0_1.pt").write_bytes((folder / "0.0_0.pt").read_bytes())
    found = audit(folder / "runs.csv", Colors(90), **OPTIONS)
    assert any("1 of 9 runs have the accuracies of another" in warning for warning in found.warnings)
    with pytest.raises(SettingsError, match="accuracies to be a file or a DataFrame, but got int"):
        audit(accuracies=3)  # type: ignore[arg-type]


def test_images_that_cannot_be_read_are_said(runs: Path) -> None:
    found = audit(runs, Colors(90, broken=frozenset({4, 7})), **OPTIONS)
    assert "2 of 90 images could not be read and were left out." in found.warnings
    assert sum(entry.n for entry in found.classes) == 88


def test_every_image_is_decoded_once_for_all_checkpoints(runs: Path) -> None:
    data, seen = Colors(60), []
    audit(runs, data, progress=lambda done, total: seen.append((done, total)), **OPTIONS)
    assert len(data.read) == 60
    assert seen[-1] == (9 * 60, 9 * 60)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_profile_tells_on_which_cue_s_classes_the_cost_falls(runs: Path, tmp_path: Path) -> None:
    other = profile()
    classes = [entry.model_copy(update={"name": name}) for entry, name in zip(other.classes, NAMES, strict=False)]
    policy = other.policy.model_copy(update={"per_class": {}})
    known = other.model_copy(update={"classes": classes, "policy": policy})
    found = audit(runs, Colors(90), profile=known, **OPTIONS)
    assert sum(entry.classes for entry in found.cues) == 3
    write_file(tmp_path / "profile.json", known.to_json())
    assert audit(runs, Colors(90), profile=tmp_path, **OPTIONS) == found
    with pytest.raises(SettingsError, match="profile to be a profile of the runs' classes, but got classes such as"):
        audit(runs, Colors(90), profile=other, **OPTIONS)


def test_accepted_labels_and_likeness_say_what_rivals_are(runs: Path, tmp_path: Path) -> None:
    data = Colors(90)
    ids = [name for name, label in zip(data.sample_ids, data.labels, strict=True) if NAMES[label] == "grass"]
    write_file(tmp_path / "accepted.csv", "path,accepted\n" + "".join(f"{name},grass|water|brick\n" for name in ids))
    order = ["1.0", "0.1", "0.0"]
    found = audit(runs, data, accepted=tmp_path / "accepted.csv", order=order, **OPTIONS)
    assert found.strengths == [1.0, 0.1, 0.0]
    assert found.classes[1].loss_accepted == 0.0
    plain = audit(runs, data, **OPTIONS)
    kinds = {rival.kind for entry in plain.classes for rival in entry.rivals}
    assert kinds <= {"fine-grained", "unrelated"}


def test_a_table_needs_no_images(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    table(simulated(Truth(level(3, 4), images=50), 0)).to_csv(path, index=False)
    found = audit(accuracies=path, output=tmp_path / "out")
    assert found.regularizer == "regularizer"
    assert found.source["runs"] == 15
    for unused in ({"runs": path}, {"dataset": Colors()}, {"accepted": path}, {"similarity": "open_clip:x"}):
        with pytest.raises(SettingsError, match="to be left out with accuracies"):
            audit(accuracies=path, **unused)  # type: ignore[arg-type]


def test_mistakes_are_one_sentence(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="a list of checkpoints or accuracies TABLE, but got neither"):
        audit()
    with pytest.raises(SettingsError, match="Expected dataset to be given with RUNS"):
        audit(runs, **OPTIONS)
    with pytest.raises(CuesenseError, match="similarity to be open_clip:NAME@TAG_OR_FILE, but got 'timm:x'"):
        audit(runs, Colors(30), similarity="timm:x", **OPTIONS)
    with pytest.raises(CuesenseError, match="tolerance"):
        audit(runs, Colors(30), tolerance=2, **OPTIONS)
    (tmp_path / "audit.json").mkdir()
    with pytest.raises(CuesenseError, match="a folder"):
        audit(runs, Colors(30), output=tmp_path, **OPTIONS)


def test_networks_of_other_classes_are_refused(runs: Path) -> None:
    two = Colors(60, class_names=(*NAMES, "sand"))
    with pytest.raises(CuesenseError, match="3"):
        audit(runs, two, **OPTIONS)


def test_the_library_s_name_is_the_function() -> None:
    assert cuesense.audit is audit


def test_a_restart_that_fails_leaves_no_audit_of_the_earlier_runs(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit(runs, Colors(60), output=tmp_path, **OPTIONS)

    def stopped(*_: object) -> None:
        raise SettingsError("stopped")

    monkeypatch.setattr("cuesense.inference.checkpoints.check_runs", stopped)
    with pytest.raises(SettingsError, match="stopped"):
        audit(runs, Colors(60), output=tmp_path, restart=True, **OPTIONS)
    assert not list(tmp_path.glob("audit.*"))
