"""The whole verification on a small planted world: what is trained, what is said, and that it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cuesense.errors import CuesenseWarning, OutputError, SettingsError
from cuesense.inference.ray_cluster import RayEngine
from cuesense.policies.policy import DEFAULT_AUGMENTATIONS, Policy, uniform
from cuesense.policies.rivals import class_weights, relaxed
from cuesense.reports.charts.forecast_outcome import scatter
from cuesense.reports.html.verification import render
from cuesense.schemas.profile import Profile
from cuesense.schemas.verification import Verification
from cuesense.stats.over_seeds import recall
from cuesense.stats.training_loss import leaks
from cuesense.stores.lock import locked
from cuesense.training.setup import Experiment
from cuesense.training.trials import Trial, TrialPredictions
from cuesense.types import no_progress
from cuesense.workflows import verify as verify_room
from cuesense.workflows.verify import TRIALS, verify
from cuesense.workflows.verify_results import Study, _leaks
from tests.helpers.kept_files import trials_in
from tests.helpers.profiles_with_forecasts import CLEAN, CROP, JITTER, forecast
from tests.helpers.training_setups import TEST, TRAIN, profile

NAMES = TRAIN.class_names
# After fewer the networks do no better than guessing.
EPOCHS = 4
BY_CLASS = [[-0.1, -0.1, -0.1], [0.0, 0.2, 0.0], [0.0, 0.3, 0.0], [0.4, 0.4, 0.0]]


def _ignore(_sentence: str) -> None:
    """Take no notice."""


def profiled() -> Profile:
    """Return a profile of the world's classes with a forecast by which one class must not be cropped much."""
    known = forecast({CROP: BY_CLASS, JITTER: CLEAN}, runs=2).forecast
    return profile().model_copy(update={"forecast": known})


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Verification, Path, list[tuple[int, int]]]:
    folder, steps = tmp_path_factory.mktemp("verified") / "out", list[tuple[int, int]]()
    found = verify(
        profiled(),
        TRAIN,
        TEST,
        epochs=EPOCHS,
        output=folder,
        seeds=2,
        progress=lambda *step: steps.append(step),
        notify=_ignore,
    )
    return found, folder, steps


def test_the_policies_and_their_rivals_are_trained(done: tuple[Verification, Path, list[tuple[int, int]]]) -> None:
    found, folder, steps = done
    assert [arm.name for arm in found.arms] == [
        "none",
        "usual",
        "best_uniform",
        "global",
        "grouped",
        "per_class",
        "permuted",
        "matched",
        "weighted",
        "relaxed",
    ]
    different = [arm for arm in found.arms if arm.same_as is None]
    kept = len(list((folder / TRIALS).glob("trial-*.npz")))
    assert 9 + 2 * (len(different) - 1) <= kept <= 11 + 2 * len(different)
    # Two steps a training. The search trains nine candidates and two more, and each of two seeds up to ten policies, of
    # which one was known to equal another.
    assert steps[0] == (0, 2 * (9 + 2 + 2 * 9))
    assert steps[-1] == (2 * kept, 2 * kept)
    dones = [done for done, _ in steps]
    assert dones == sorted(dones)
    assert len({total for _, total in steps}) == 2
    assert found.arms[0].doses == "no augmentation"
    assert found.arms[1].doses == "random resized crop 0.08, color jitter 0.4, horizontal flip 0.5"
    assert found.arms[3].doses == "random resized crop 0.7"
    assert found.arms[5].doses == "3 different sets of values"
    assert found.seeds == [2000, 2001]
    assert found.images == 15


def test_numbers_are_those_of_the_kept_answers(done: tuple[Verification, Path, list[tuple[int, int]]]) -> None:
    found, folder, _ = done
    store = trials_in(folder / TRIALS)
    usual = uniform(DEFAULT_AUGMENTATIONS, NAMES)
    labels = np.array(TEST.labels)
    recalls = {
        name: np.mean(
            [recall(store.read(Trial(policy, seed)).predicted[None], labels, 3)[0] for seed in found.seeds], axis=0
        )
        for name, policy in (("none", None), ("usual", usual))
    }
    arms = {arm.name: arm for arm in found.arms}
    for name, expected in recalls.items():
        assert [entry.recall for entry in arms[name].classes] == pytest.approx(expected, abs=1e-6)
        assert arms[name].mean == pytest.approx(expected.mean())
    change = recalls["usual"] - recalls["none"]
    assert [entry.recall_change.value for entry in arms["usual"].classes] == pytest.approx(change, abs=1e-6)
    assert arms["usual"].harmed == (change < 0).sum()
    assert arms["usual"].over_tolerance == [name for name, value in zip(NAMES, change, strict=True) if value < -0.05]
    assert set(arms["usual"].surely_over) <= set(arms["usual"].over_tolerance)
    # Flips were not forecast: of a policy with them nothing is foreseen.
    assert {entry.forecast_loss for entry in arms["usual"].classes} == {arms["usual"].forecast_worst} == {None}
    assert [entry.forecast_loss for entry in arms["global"].classes] == pytest.approx([-0.1] * 3)
    assert (arms["global"].forecast_mean, arms["global"].forecast_worst) == pytest.approx((0.9, 0.8))
    assert arms["none"].harmed == 0
    assert arms["none"].classes[0].recall_change.value == 0


def test_rivals_repair_the_global_policy_by_what_the_search_seed_showed(
    done: tuple[Verification, Path, list[tuple[int, int]]],
) -> None:
    found, folder, _ = done
    arms, store, labels = {arm.name: arm for arm in found.arms}, trials_in(folder / TRIALS), np.array(TEST.labels)
    base = Policy.from_dict(arms["global"].policy or {}, NAMES)
    plain, own = (store.read(Trial(policy, 1999)).predicted[None] for policy in (None, base))
    before, after = recall(plain, labels, 3)[0], recall(own, labels, 3)[0]
    weighted = replace(base, class_weights=class_weights(before, after))
    assert Policy.from_dict(arms["weighted"].policy or {}, NAMES).content == weighted.content
    milder = relaxed(base, leaks(plain, own, labels, 3))
    assert Policy.from_dict(arms["relaxed"].policy or {}, NAMES).content == milder.content
    for name, arm in arms.items():
        policy = None if arm.policy is None else Policy.from_dict(arm.policy, NAMES)
        if name in ("none", "usual", "weighted", "relaxed"):
            runs = [[store.read(Trial(one, seed)).predicted for seed in found.seeds] for one in (policy, base)]
            own_lowest, base_lowest = (recall(np.stack(run), labels, 3).min(axis=1) for run in runs)
            gains = own_lowest - base_lowest
            assert arm.lowest_gain == pytest.approx(gains.mean(), abs=1e-6)
            assert arm.lowest_gain_error == pytest.approx(abs(gains[0] - gains[1]) / 2, abs=1e-6)


def searched(told: Mapping[str, np.ndarray], policies: Mapping[str, Policy]) -> dict[str, Policy]:
    """Return the rivals where the search seed's networks say what is told for each policy."""
    answers = {
        Trial(policies[name], 1999).key: TrialPredictions(said, said / 3, np.zeros((0, len(said)), dtype=np.int32))
        for name, said in told.items()
    }
    experiment = SimpleNamespace(
        run=lambda trials, _: [answers[trial.key] for trial in trials],
        predictions=lambda trial: answers[trial.key],
        test=SimpleNamespace(labels=torch.tensor(TEST.labels)),
    )
    return verify_room._rivals(verify_room._Trainings(experiment, no_progress), policies)  # type: ignore[arg-type]


@pytest.mark.parametrize("repaired", ["global", "best_uniform"])
def test_rivals_favor_the_class_that_pays_and_relax_the_one_that_takes_its_images(repaired: str) -> None:
    """The global policy comes first; where it is empty, the best uniform one is repaired."""
    own = {"global": uniform({CROP: 0.2}, NAMES), "best_uniform": uniform({CROP: 0.4}, NAMES)}
    if repaired == "best_uniform":
        own["global"] = uniform({}, NAMES)
    right = np.array(TEST.labels, dtype=np.int32)
    lost = right.copy()
    lost[np.flatnonzero(right == 0)[:2]] = 2
    found = searched({"none": right, repaired: lost}, {"none": uniform({}, NAMES), **own})
    value = own[repaired].values[0][CROP]
    weights = found["weighted"].class_weights
    assert found["weighted"].values == ({CROP: value},)
    assert weights[0] > 1 > weights[1] == weights[2]
    assert [found["relaxed"].of_class(index)[CROP] for index in range(3)] == [value, value, (1 + value) / 2]


def test_without_augmentation_the_weights_favor_the_class_with_the_lowest_recall() -> None:
    nothing = uniform({}, NAMES)
    said = np.array(TEST.labels, dtype=np.int32)
    said[np.flatnonzero(said == 1)[:3]] = 2
    found = searched({"none": said}, {"none": nothing, "global": nothing, "best_uniform": nothing})
    assert found["relaxed"] == nothing
    weights = found["weighted"].class_weights
    assert not found["weighted"].names
    assert weights[1] > 1 > weights[0] == weights[2]


def test_policies_by_class_are_tested_for_leaks(done: tuple[Verification, Path, list[tuple[int, int]]]) -> None:
    arms = {arm.name: arm for arm in done[0].arms}
    assert arms["per_class"].leaks
    for leak in arms["per_class"].leaks:
        assert leak.excess.value == pytest.approx(leak.share - leak.control, abs=1e-6)
    assert arms["usual"].leaks == []
    assert arms["global"].leaks == []


def test_a_leak_is_measured_against_the_uniform_policy_of_the_same_strength() -> None:
    """Under the doses of class 0 the one network takes every image for class 0, the other two more of ten."""
    policy = Policy("per_class", 0.8, NAMES, (0, 1, 1), ({CROP: 0.2}, {}))
    arms = {"none": uniform({}, NAMES), "per_class": policy, "matched": uniform({CROP: 0.7}, NAMES)}
    labels = np.array(TEST.labels)
    drawn = labels.copy()
    drawn[[5, 10]] = 0
    told = {"none": (labels, labels), "per_class": (labels, 0 * labels), "matched": (labels, drawn)}
    answers = {
        Trial(arms[name], seed, Study.probes(study, name)).key: TrialPredictions(clean, clean / 3, probed[None])
        for study in [Study(profiled(), None, arms, (1, 2), 0.05)]  # type: ignore[arg-type]
        for name, (clean, probed) in told.items()
        for seed in (1, 2)
    }
    experiment = SimpleNamespace(
        predictions=lambda trial: answers[trial.key], test=SimpleNamespace(labels=torch.tensor(labels))
    )
    found = _leaks(Study(profiled(), experiment, arms, (1, 2), 0.05), "per_class")  # type: ignore[arg-type]
    assert [(leak.name, leak.share, leak.control) for leak in found] == [(NAMES[0], 1.0, 0.2)]
    assert found[0].excess.value == pytest.approx(0.8)


def test_the_files_hold_the_same(done: tuple[Verification, Path, list[tuple[int, int]]]) -> None:
    found, folder, _ = done
    assert Verification.model_validate(json.loads((folder / "verify.json").read_text())) == found
    rows = (folder / "verify.csv").read_text().splitlines()
    assert len(rows) == 1 + 10 * 3
    picture = (folder / "forecast.svg").read_text()
    assert picture == scatter(found)
    shown = [
        arm for arm in found.arms if arm.policy is not None and arm.same_as is None and arm.forecast_mean is not None
    ]
    named = [arm for arm in found.arms if arm.policy is not None and arm.same_as is None and arm.name != "weighted"]
    assert picture.count("<circle cx") == 3 * len(shown) + len(named)


def test_a_second_call_trains_nothing_and_says_the_same(
    done: tuple[Verification, Path, list[tuple[int, int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, folder, _ = done
    monkeypatch.setattr("cuesense.training.trials.fit", None)
    assert verify(profiled(), TRAIN, TEST, epochs=EPOCHS, output=folder, seeds=2, notify=_ignore) == found


def test_without_a_forecast_and_with_one_seed_it_says_what_is_missing() -> None:
    said: list[str] = []
    with pytest.warns(CuesenseWarning, match="nothing can be said about any policy") as caught:
        found = verify(
            profile(), TRAIN, TEST, epochs=1, seeds=1, tolerance=0.4, augmentations=[CROP], notify=said.append
        )
    foreseen = [arm for arm in found.arms[1:] if arm.same_as is None and arm.forecast_mean is not None]
    assert foreseen
    assert found.agreement.pairs == 3 * len(foreseen)
    assert [warning.split(":")[0] for warning in found.warnings] == [
        # One epoch teaches these networks no more than guessing.
        "The networks trained without augmentation recognize 33.3\N{NO-BREAK SPACE}% of the test images, which is not "
        "clearly more than guessing gets (33.3\N{NO-BREAK SPACE}%)",
        "The profile holds no forecast from trainings",
        "With fewer than three seeds intervals are missing or too narrow",
    ]
    # A Python program hears once how it ended, and before the trainings what was known then.
    assert len(caught) == 1
    assert said[:2] == found.warnings[1:]
    assert said[2].startswith("The first network, trained without augmentation, recognizes 33.3")
    usual = found.arms[1]
    assert usual.mean_change.low is None
    assert usual.surely_over == []
    # Without trainings it is what trainings elsewhere make likely.
    assert usual.forecast_mean is not None


def test_a_profile_keeps_nothing_of_networks_that_guess_and_is_warned_of_them_before_they_are_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either networks that recognize every image are trained, or such that name one class for all of them."""
    file = tmp_path / "profile.json"
    right = np.array(TEST.labels, dtype=np.int32)
    for predicted, kept in ((right, True), (0 * right, False)):
        file.write_text(profile().to_json())
        trained: list[Trial] = []
        heard: list[tuple[int, str]] = []

        def told(trial: Trial, *_: object, said: np.ndarray = predicted, done: list[Trial] = trained) -> object:
            done.append(trial)
            return TrialPredictions(said, said / 3, np.tile(said, (len(trial.probes), 1)))

        def hear(sentence: str, done: list[Trial] = trained, heard: list[tuple[int, str]] = heard) -> None:
            heard.append((len(done), sentence.split(":")[0]))

        monkeypatch.setattr("cuesense.training.trials.train_and_predict", told)
        with nullcontext() if kept else pytest.warns(CuesenseWarning, match="a profile keeps nothing"):
            found = verify(file, TRAIN, TEST, seeds=3, augmentations=[CROP], notify=hear, progress=False)
        assert (Profile.read(file).verified is not None) == kept
        assert found.baseline is not None
        assert found.baseline.better_than_guessing == kept
        assert found.baseline.model_accuracy == profile().summary.clean_accuracy
        assert heard[0] == (0, "The profile holds no forecast from trainings")
        assert [count for count, _ in heard[1:]] == ([] if kept else [1])


def test_workers_are_given_all_that_waits_for_no_other_training(monkeypatch: pytest.MonkeyPatch) -> None:
    engines: list[RayEngine | None] = []
    given: list[list[Trial]] = []
    right = np.array(TEST.labels, dtype=np.int32)

    def results(trials: Sequence[Trial]) -> Iterator[tuple[Trial, TrialPredictions]]:
        given.append(list(trials))
        for trial in reversed(trials):
            yield trial, TrialPredictions(right, right / 3, np.tile(right, (len(trial.probes), 1)))

    @contextmanager
    def shared(experiment: Experiment, engine: RayEngine | None) -> Iterator[Experiment]:
        engines.append(engine)
        yield replace(experiment, pool=SimpleNamespace(results=results))  # type: ignore[arg-type]

    monkeypatch.setattr(verify_room, "trained_on_ray", shared)
    options = {"engine": "ray", "ray_workers": 3, "device": "cpu"}
    verify(profile(), TRAIN, TEST, seeds=3, augmentations=[CROP], notify=_ignore, progress=False, **options)  # type: ignore[arg-type]
    assert engines == [RayEngine(workers=3, gpus=0.0)]
    # First the one that shows whether these networks learn, and last the policies that the search and it have chosen.
    assert [trial.seed for trial in given[0]] == [1999]
    seeds = [trial.seed for trial in given[1]]
    assert seeds.count(1999) >= 4
    assert seeds.count(2000) == seeds.count(2001) == seeds.count(2002) >= 2
    assert sum(map(len, given[2:])) <= 2 + 3 * 3


def test_wrong_numbers_are_one_sentence() -> None:
    with pytest.raises(SettingsError, match="seeds"):
        verify(profiled(), TRAIN, TEST, epochs=1, seeds=0)
    with pytest.raises(SettingsError, match="tolerance"):
        verify(profiled(), TRAIN, TEST, epochs=1, tolerance=1.0)


def test_a_profile_file_keeps_the_outcome_and_a_profile_does_not(
    done: tuple[Verification, Path, list[tuple[int, int]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, folder, _ = done
    monkeypatch.setattr("cuesense.training.trials.fit", None)
    file = tmp_path / "profile.json"
    file.write_text(profiled().to_json())
    for path in (tmp_path, str(file)):
        assert verify(path, TRAIN, TEST, epochs=EPOCHS, output=folder, seeds=2, notify=_ignore) == found
        kept = Profile.read(file)
        assert kept.model_copy(update={"verified": None}) == profiled()
        assert kept.verified is not None
        assert (kept.verified.seeds, kept.verified.tolerance) == (2, found.tolerance)
        assert list(kept.verified.policies) == [arm.name for arm in found.arms]
        for arm in found.arms:
            block = kept.verified.policies[arm.name]
            assert (block.policy, block.mean, block.worst) == (arm.policy, arm.mean, arm.worst)
            assert block.over_tolerance == len(arm.over_tolerance)
            assert (block.lowest_gain, block.lowest_gain_error) == (arm.lowest_gain, arm.lowest_gain_error)
            changes = [entry.recall_change for entry in arm.classes]
            assert block.gain == pytest.approx([change.value for change in changes], abs=1e-4)
            for change, margin in zip(changes, block.gain_margin, strict=True):
                assert margin is not None
                assert change.value is not None
                ends = max(change.value - margin, -1.0), min(change.value + margin, 1.0)
                assert (change.low, change.high) == pytest.approx(ends, abs=1e-4)


def test_a_profile_that_another_run_holds_is_left_alone_and_the_trainings_stay(
    done: tuple[Verification, Path, list[tuple[int, int]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile may be held by this very run, where the output folder is its folder."""
    found = done[0]
    (tmp_path / "profile.json").write_text(profiled().to_json())
    monkeypatch.setattr(verify_room, "_PATIENCE", 0.1)
    with locked(tmp_path):
        with pytest.raises(OutputError, match="Run the same command again when it has ended: the trainings are kept"):
            verify_room._keep_outcome(tmp_path, found, tmp_path / "out")
        assert Profile.read(tmp_path).verified is None
        verify_room._keep_outcome(tmp_path, found, tmp_path)
    assert Profile.read(tmp_path).verified is not None


def test_the_page_of_the_results_and_who_takes_images(done: tuple[Verification, Path, list[tuple[int, int]]]) -> None:
    found, folder, _ = done
    assert (folder / "verify.html").read_text(encoding="utf-8") == render(found)
    plain = found.arms[0]
    assert all(entry.taken_by is None for entry in plain.classes)
    for known in found.arms:
        for entry in known.classes:
            assert (entry.taken_by is None) == (entry.taken is None)
            assert entry.taken_by != entry.name
            assert entry.taken is None or 0 < entry.taken <= 1
            if entry.forecast_loss is not None and entry.forecast_low is not None:
                assert entry.forecast_high is not None
                assert entry.forecast_low <= entry.forecast_loss <= entry.forecast_high
    foreseen = [entry for known in found.arms for entry in known.classes if entry.forecast_loss is not None]
    assert foreseen
    assert all(entry.forecast_low is not None for entry in foreseen)
