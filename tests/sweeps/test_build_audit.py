"""The whole audit of simulated sweeps: the contract's fields, who is named, what it costs, cues, words."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t as student

from cuesense.schemas.audit import Audit
from cuesense.sweeps.build_audit import _best_as_sink, _unstable, build_audit
from cuesense.sweeps.losses import class_losses
from cuesense.sweeps.sweep import Sweep
from cuesense.types import CueVerdict
from tests.helpers.audits import CLASS_FIELDS, FIELDS
from tests.helpers.simulated_sweeps import Truth, level, planted, simulated, some_runs, spread


def audit(sweep: Sweep, **known: object) -> dict[str, object]:
    options = {"tolerance": 0.05, "confidence": 0.95, "source": {"runs": "x"}} | known
    found = build_audit(sweep, **options)  # type: ignore[arg-type]
    result: dict[str, object] = json.loads(found.to_json())
    return result


def test_the_contract_s_fields_are_there_and_name_the_planted_class() -> None:
    sweep = simulated(planted(), 0, per_image=True)
    found = audit(sweep)
    assert set(found) >= FIELDS
    classes = found["classes"]
    assert all(set(entry) >= CLASS_FIELDS for entry in classes)  # type: ignore[attr-defined]
    by_name = {entry["name"]: entry for entry in classes}  # type: ignore[attr-defined]
    loser = by_name["class 0"]
    assert found["chosen_by_mean"] == 2.0
    assert [entry["name"] for entry in classes if entry["harmed"]] == ["class 0"]  # type: ignore[attr-defined]
    assert loser["low"] > 0.15
    assert loser["low"] <= loser["loss"] <= loser["high"]
    assert loser["loss"] == pytest.approx(0.3, abs=0.08)
    assert loser["loss_at_strongest"] == loser["loss"]
    assert loser["best_strength"] in (0.0, 1.0)
    assert loser["harmed_at"] == [2.0]
    assert (loser["n"], loser["seeds"]) == (300, 5)
    assert loser["rivals"][0]["class"] == "class 1"
    assert loser["rivals"][0]["share"] == pytest.approx(loser["loss"], abs=1e-6)
    assert (found["harmed"], found["chosen_safe"]) == (1, None)
    assert by_name["class 3"]["gains"] is True
    assert loser["gains"] is False


def test_numbers_are_those_of_the_statistics() -> None:
    sweep = simulated(planted(), 1)
    found, known = build_audit(sweep, tolerance=0.05, confidence=0.9, source={}), class_losses(sweep, 0.9)
    assert found.mean_accuracy == pytest.approx(known.mean, abs=1e-6)
    assert [entry.loss for entry in found.classes] == pytest.approx(known.losses.value[2], abs=1e-6)
    assert found.worst_class_accuracy == pytest.approx(known.accuracy.min(axis=1), abs=1e-6)
    cost = known.mean.max() - known.mean[list(found.strengths).index(found.chosen_by_worst_class)]
    assert found.price.by_worst_class == pytest.approx(cost, abs=1e-6)
    frame = found.to_frame()
    assert len(frame) == 24
    assert pytest.approx(known.accuracy, abs=1e-6) == frame["accuracy"].to_numpy().reshape(8, 3).T
    assert found.classes[0].rivals == []


def test_one_seed_says_what_cannot_be_known() -> None:
    found = build_audit(simulated(replace_runs(planted(), 1), 0), tolerance=0.05, confidence=0.95, source={})
    assert found.harmed is None
    assert found.gaining is None
    assert all(entry.harmed is None and entry.low is None and entry.loss is not None for entry in found.classes)
    assert found.chosen_by_mean == 2.0
    assert (found.chosen_safe, found.chosen_unharmed) == (None, None)
    assert "No strength has two runs" in found.warnings[0]


def replace_runs(truth: Truth, runs: int) -> Truth:
    return Truth(truth.accuracy, truth.images, runs)


def test_few_seeds_and_an_uncertain_choice_are_warned_of() -> None:
    found = build_audit(simulated(Truth(level(3, 4), runs=2), 0), tolerance=0.05, confidence=0.95, source={})
    assert "2 runs or fewer" in found.warnings[0]
    assert "The average does not distinguish" in found.warnings[1]


def test_a_strength_of_one_run_is_warned_of() -> None:
    sweep = some_runs(simulated(planted(), 0), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    found = build_audit(sweep, tolerance=0.05, confidence=0.95, source={})
    assert any("Strengths of one run (2) are not compared" in warning for warning in found.warnings)
    assert found.safety[2] == "undetermined"
    assert all(entry.best_strength in (0.0, 1.0) for entry in found.classes)
    assert found.mean_low[2] is None


def test_a_best_recall_with_too_many_predictions_is_warned_of() -> None:
    sweep = simulated(planted(), 0, per_image=True)
    assert sweep.per_image is not None
    assert not any("is taken from other classes" in warning for warning in plain_audit(sweep).warnings)
    taken = sweep.per_image.predicted.copy()
    taken[:10] = np.where(sweep.per_image.labels == 5, 0, taken[:10])
    found = plain_audit(replace(sweep, per_image=replace(sweep.per_image, predicted=taken)))
    warning_text = next(warning for warning in found.warnings if "is taken from other classes" in warning)
    runs = sweep.strength_of == found.strengths.index(found.classes[0].best_strength)
    times = (taken[runs] == 0).mean() / 0.125
    assert warning_text.endswith(f"class 0 ({times:.1f} times at {found.classes[0].best_strength:g}).")


def plain_audit(sweep: Sweep) -> Audit:
    return build_audit(sweep, tolerance=0.05, confidence=0.95, source={})


def test_an_unstable_strength_is_warned_of_where_seeds_are_few() -> None:
    few = spread(np.array([0.01, 0.01, 0.01, 0.08]), np.ones(10), 3)
    found = build_audit(few, tolerance=0.05, confidence=0.95, source={})
    assert any("times as much at 3 as elsewhere" in warning for warning in found.warnings)
    calm = build_audit(spread(np.full(4, 0.02), np.ones(10), 3), tolerance=0.05, confidence=0.95, source={})
    assert not any("times as much" in warning for warning in calm.warnings)


def test_the_average_of_the_same_images_is_told_by_its_runs() -> None:
    accuracy = np.tile(np.linspace(0.5, 0.9, 6), (3, 1)) + np.array([[0.0], [0.03], [0.031]])
    found = build_audit(
        simulated(Truth(accuracy, images=400), 0, per_image=True), tolerance=0.05, confidence=0.95, source={}
    )
    warning_text = next(warning for warning in found.warnings if warning.startswith("The average"))
    assert warning_text == "The average does not distinguish 1 from the chosen 2."


def test_the_cost_is_joined_with_the_cues_of_a_profile() -> None:
    cues = {"class 0": CueVerdict.SHAPE, "class 1": CueVerdict.COLOR, "class 2": CueVerdict.COLOR}
    found = build_audit(simulated(planted(), 0), tolerance=0.05, confidence=0.95, source={}, cues=cues)
    assert [(entry.cue, entry.classes, entry.harmed) for entry in found.cues] == [("shape", 1, 1), ("color", 2, 0)]
    assert found.cues[0].low is None
    assert found.cues[1].low is not None
    assert found.cues[1].low <= found.cues[1].loss <= (found.cues[1].high or 0)
    assert found.classes[0].cue is CueVerdict.SHAPE
    assert found.classes[5].cue is None


def test_losses_by_accepted_labels_count_every_right_answer() -> None:
    sweep = simulated(planted(), 0, per_image=True)
    assert sweep.per_image is not None
    accepted = np.eye(8, dtype=bool)[sweep.per_image.labels]
    accepted[sweep.per_image.labels == 0, 1] = True
    both = replace(sweep, per_image=replace(sweep.per_image, accepted=accepted))
    found = build_audit(both, tolerance=0.05, confidence=0.95, source={})
    assert found.classes[0].loss_accepted == 0.0
    assert found.classes[0].rivals[0].both == 1.0
    assert found.classes[3].loss_accepted == pytest.approx(found.classes[3].loss, abs=1e-6)
    assert build_audit(sweep, tolerance=0.05, confidence=0.95, source={}).classes[0].loss_accepted is None


def test_classes_without_images_are_null_and_named_in_a_warning() -> None:
    sweep = simulated(planted(), 0)
    empty = replace(
        sweep,
        accuracy=np.where(np.arange(8) == 7, np.nan, sweep.accuracy),
        images=np.where(np.arange(8) == 7, 0, sweep.images),
    )
    found = build_audit(empty, tolerance=0.05, confidence=0.95, source={})
    assert found.classes[7].loss is None
    assert found.classes[7].harmed is None
    assert found.classes[7].accuracy == [None] * 3
    assert "No test images for 1 of 8 classes, the first of them 'class 7'." in found.warnings
    assert found.harmed == 1


@pytest.mark.parametrize(("runs", "warned"), [(2, True), (3, False)])
def test_two_runs_are_few(runs: int, warned: bool) -> None:
    found = plain_audit(simulated(Truth(level(3, 4), runs=runs), 0))
    assert any("runs or fewer: bounds are wide" in warning for warning in found.warnings) == warned


@pytest.mark.parametrize(("times", "runs", "warned"), [(4.0, 4, True), (3.9, 4, False), (4.0, 5, False)])
def test_unstable_is_four_times_the_variance_with_fewer_than_five_runs(times: float, runs: int, warned: bool) -> None:
    sweep = simulated(Truth(level(3, 4), runs=runs), 0)
    found = class_losses(sweep, 0.95)
    ratio = np.ones((3, 4)) * np.array([[1.0], [times], [1.0]])
    planted_noise = replace(found, noise=replace(found.noise, ratio=ratio))
    assert bool(_unstable(sweep, planted_noise)) == warned


@pytest.mark.parametrize(("taken", "warned"), [(149, False), (150, True)])
def test_a_sink_is_predicted_half_as_often_again_as_it_occurs(taken: int, warned: bool) -> None:
    """Of eight classes of 300 images, so many of one are predicted as the class that loses, where that is best."""
    sweep = simulated(planted(), 0, per_image=True)
    assert sweep.per_image is not None
    labels = sweep.per_image.labels
    predicted = np.tile(labels, (len(sweep.seeds), 1)).astype(np.int32)
    predicted[:, np.flatnonzero(labels == 5)[:taken]] = 0
    sunk = replace(sweep, per_image=replace(sweep.per_image, predicted=predicted))
    assert bool(_best_as_sink(sunk, plain_audit(sweep).classes)) == warned


@pytest.mark.parametrize(("strengths", "rest"), [(9, ""), (10, " and 1 more"), (12, " and 3 more")])
def test_a_warning_lists_eight_strengths(strengths: int, rest: str) -> None:
    """No strength differs from another."""
    sweep = simulated(Truth(level(strengths, 4), images=20), 0)
    warning_text = next(warning for warning in plain_audit(sweep).warnings if warning.startswith("The average"))
    tied = [f"{strength:g}" for strength in sweep.strengths if strength != plain_audit(sweep).chosen_by_mean]
    assert warning_text.startswith(f"The average does not distinguish {', '.join(tied[:8])}{rest} from the chosen ")


def test_fractions_have_six_decimal_places() -> None:
    sweep = simulated(planted(), 0)
    found, known = plain_audit(sweep), class_losses(sweep, 0.95)
    exact = [float(value) for value in known.losses.value[2]]
    assert [entry.loss for entry in found.classes] == [round(value, 6) for value in exact]
    assert any(value != round(value, 6) for value in exact)
    assert found.mean_accuracy == [round(float(value), 6) for value in known.mean]


def test_what_a_cue_costs_is_student_s_interval_over_its_classes() -> None:
    sweep = simulated(planted(), 0)
    cues = {f"class {index}": CueVerdict.COLOR if index % 2 else CueVerdict.TEXTURE for index in range(8)}
    found = build_audit(sweep, tolerance=0.05, confidence=0.9, source={}, cues=cues)
    assert [entry.cue for entry in found.cues] == [CueVerdict.TEXTURE, CueVerdict.COLOR]
    for cost in found.cues:
        own = [entry for entry in found.classes if entry.cue is cost.cue]
        assert (cost.classes, cost.harmed) == (4, sum(bool(entry.harmed) for entry in own))
        for name, numbers in (
            ("loss", [entry.loss for entry in own]),
            ("loss_at_strongest", [entry.loss_at_strongest for entry in own]),
        ):
            known = np.array(numbers, dtype=float)
            mean = known.sum() / 4
            half = student.ppf(0.95, 3) * np.sqrt(((known - mean) ** 2).sum() / 3 / 4)
            low, high = (cost.low, cost.high) if name == "loss" else (cost.strongest_low, cost.strongest_high)
            assert getattr(cost, name) == pytest.approx(mean, abs=2e-6)
            assert (low, high) == pytest.approx((max(mean - half, 0), min(mean + half, 1)), abs=2e-6)


def test_cues_are_known_for_classes_in_another_spelling() -> None:
    found = build_audit(
        simulated(planted(), 0), tolerance=0.05, confidence=0.9, source={}, cues={"Class_1": CueVerdict.SHAPE}
    )
    assert [entry.cue for entry in found.classes][:3] == [None, CueVerdict.SHAPE, None]


def test_cues_of_classes_that_are_not_in_the_sweep_count_nothing() -> None:
    sweep = simulated(planted(), 0)
    found = build_audit(sweep, tolerance=0.05, confidence=0.9, source={}, cues={"other": CueVerdict.SHAPE})
    assert found.cues == []
    assert {entry.cue for entry in found.classes} == {None}


def test_a_class_is_harmed_at_every_strength_with_a_loss_that_is_shown() -> None:
    sweep = simulated(planted(), 3, per_image=True)
    found, known = plain_audit(sweep), class_losses(sweep, 0.95)
    for entry in found.classes:
        shown = [sweep.strengths[place] for place in range(3) if known.losses.low[place, entry.index] > 0]
        assert entry.harmed_at == shown
        assert entry.harmed == (found.chosen_by_mean in shown)
    assert found.harmed == sum(bool(entry.harmed) for entry in found.classes)
    assert found.gaining == sum(bool(entry.gains) for entry in found.classes)


def test_the_price_is_the_mean_accuracy_that_a_choice_gives_up() -> None:
    """The strongest is best on average, the middle one for the worst class and the best that is safe."""
    accuracy = np.full((3, 4), 0.8) + np.array([[0.0], [0.03], [0.14]])
    accuracy[2, 0] = 0.55
    sweep = simulated(Truth(accuracy, images=3000, runs=8), 1, per_image=True)
    found = build_audit(sweep, tolerance=0.2, confidence=0.95, source={})
    assert (found.chosen_by_mean, found.chosen_by_worst_class, found.chosen_safe) == (2.0, 1.0, 1.0)
    given_up = found.mean_accuracy[2] - found.mean_accuracy[1]
    assert found.price.by_worst_class == found.price.safe == pytest.approx(given_up, abs=2e-6)
    assert given_up > 0.005
    # Every strength harms a class: there is no such choice and nothing that it gives up.
    assert (found.chosen_unharmed, found.price.unharmed) == (None, None)


def test_accuracies_and_their_intervals_stay_fractions() -> None:
    """Nearly all or nearly none of few images: intervals that would reach beyond 0 and 1 end there."""
    accuracy = np.array([[0.98, 0.02, 0.5], [0.98, 0.02, 0.5]])
    found = plain_audit(simulated(Truth(accuracy, images=20, runs=2), 0))
    for entry in found.classes:
        rows = (entry.accuracy_low, entry.accuracy, entry.accuracy_high)
        for low, value, high in zip(*rows, strict=True):
            assert 0 <= (low or 0) <= (value or 0) <= (high or 0) <= 1
        assert (entry.high or 0) <= 1
    assert found.classes[0].accuracy_high == [1.0, 1.0]
    assert found.classes[1].accuracy_low == [0.0, 0.0]
    assert all(0 <= (low or 0) < mean < (high or 0) <= 1 for low, mean, high in _means(found))


def _means(found: Audit) -> list[tuple[float | None, float, float | None]]:
    return list(zip(found.mean_low, found.mean_accuracy, found.mean_high, strict=True))


def test_remarks_of_the_runs_come_before_the_audit_s_own_warnings() -> None:
    sweep = replace(simulated(Truth(level(3, 4), runs=2), 0), remarks=("One.", "Two."))
    assert plain_audit(sweep).warnings[:3] == [
        "One.",
        "Two.",
        "Strengths have 2 runs or fewer: bounds are wide. Five seeds or more tell smaller losses.",
    ]


def test_rivals_go_with_the_likeness_of_their_outputs() -> None:
    sweep = simulated(planted(), 0, per_image=True)
    similarity = np.full((8, 8), 0.123456)
    similarity[0, 1] = similarity[1, 0] = 0.98765
    found = build_audit(sweep, tolerance=0.05, confidence=0.95, source={}, similarity=similarity)
    (rival,) = found.classes[0].rivals
    assert (rival.rival, rival.kind, rival.similarity, rival.both) == ("class 1", "fine-grained", 0.9877, None)
    assert all(entry.rivals == [] for entry in found.classes if entry.best_strength == found.chosen_by_mean)
