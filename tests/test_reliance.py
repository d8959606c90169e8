"""Labels from planted answers: classes whose behavior under every suppression is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense import registry
from cuesense.reliance import ALONE, DECISIVE, SECOND, SHAM, Evidence, gather, label_classes
from cuesense.scoring import count
from cuesense.types import Cue, CueLabel, CueReliance, Curve

IMAGES = 60
DOSES = (*DECISIVE.values(), *SECOND.values(), *ALONE.values(), SHAM)


def survives(cue: Cue, name: str) -> float:
    """Share of a pure class's images that stay right under a suppression: all of them if it leaves the cue."""
    return 0.05 if cue in registry.get("perturbations", name).suppresses else 0.97


def evidence_of(keep: list[dict[str, float]], images: int = IMAGES, clean: float = 0.95) -> Evidence:
    """Build evidence from the share each class keeps under each perturbation (1 where it is not named)."""
    labels = np.repeat(np.arange(len(keep)), images)
    place = np.tile(np.arange(images), len(keep))
    clean_right = place < round(clean * images)

    def right(name: str) -> np.ndarray:
        kept = np.array([shares.get(name, 1.0) for shares in keep])
        return clean_right & (place < np.round(kept[labels] * clean * images))

    curves: dict[str, Curve] = {}
    for name, value in DOSES:
        perturbation = replace(registry.get("perturbations", name), ladder=(value,))
        curves[name] = count(perturbation, clean_right, right(name)[None, None], labels, len(keep))
    return gather(curves, {cue: right(name) for cue, (name, _) in DECISIVE.items()}, labels, 0.95)


def labels_of(keep: list[dict[str, float]], **changes: float) -> list[CueReliance]:
    return label_classes(evidence_of(keep, **changes), 0.95)  # type: ignore[arg-type]


def pure(cue: Cue) -> dict[str, float]:
    return {name: survives(cue, name) for name, _ in DOSES}


def test_pure_classes_get_their_cue_and_the_sentence_says_why() -> None:
    answers = labels_of([pure(Cue.SHAPE), pure(Cue.TEXTURE), pure(Cue.COLOR)])
    assert [answer.label for answer in answers] == [CueLabel.SHAPE, CueLabel.TEXTURE, CueLabel.COLOR]
    color = answers[2]
    assert color.evidence[Cue.COLOR].value == pytest.approx((57 - 3) / 60 / (0.95 - 1 / 3), abs=1e-9)
    assert "without color (grayscale)" in color.why
    assert "channel_permutation agrees" in color.why
    assert "when only color is left" in color.why


def test_the_answer_does_not_depend_on_the_other_classes_cues() -> None:
    for cue in Cue:
        assert {answer.label for answer in labels_of([pure(cue)] * 4)} == {CueLabel(cue.value)}


def test_a_class_that_keeps_everything_is_insensitive_and_one_that_needs_any_cue_is_redundant() -> None:
    robust = {name: 0.98 for name, _ in DOSES}
    either = robust | {ALONE[cue][0]: 0.1 for cue in (Cue.SHAPE, Cue.TEXTURE)}
    answers = labels_of([robust, either, pure(Cue.SHAPE), pure(Cue.COLOR)], images=200)
    assert [answer.label for answer in answers[:2]] == [CueLabel.INSENSITIVE, CueLabel.REDUNDANT]


def test_disagreeing_rules_stay_undetermined() -> None:
    torn = pure(Cue.SHAPE) | {"grayscale": 0.5}
    answer = labels_of([torn, pure(Cue.COLOR), pure(Cue.TEXTURE)])[0]
    assert answer.label is CueLabel.UNDETERMINED
    assert "rules disagree" in answer.why


def test_two_cues_that_cost_alike_stay_undetermined() -> None:
    both = pure(Cue.SHAPE) | {"median_blur": 0.08}
    answer = labels_of([both, pure(Cue.COLOR), pure(Cue.TEXTURE)])[0]
    assert answer.label is CueLabel.UNDETERMINED
    assert "cannot be told apart" in answer.why


def test_a_sham_that_costs_as_much_unmasks_a_false_shape_class() -> None:
    fragile = pure(Cue.SHAPE) | {"tile_jitter": 0.2}
    answer = labels_of([fragile, pure(Cue.COLOR), pure(Cue.TEXTURE)])[0]
    assert answer.label is CueLabel.UNDETERMINED
    assert "sham" in answer.why


@pytest.mark.parametrize("images", [0, 1, 9])
def test_too_few_images_are_undetermined_with_null_where_nothing_is_known(images: int) -> None:
    labels = np.concatenate([np.full(images, 0), np.full(IMAGES, 1)])
    right = np.ones(len(labels), dtype=bool)
    curves = {
        name: count(replace(registry.get("perturbations", name), ladder=(value,)), right, ~right[None, None], labels, 2)
        for name, value in DOSES
    }
    answer = label_classes(gather(curves, dict.fromkeys(Cue, ~right), labels, 0.95), 0.95)[0]
    assert answer.label is CueLabel.UNDETERMINED
    assert f"has {images} image" in answer.why
    if images < 2:
        assert answer.evidence[Cue.COLOR].value is None
        assert answer.evidence[Cue.COLOR].low is None


def test_a_class_that_is_not_recognized_is_undetermined() -> None:
    answers = labels_of([pure(Cue.COLOR)] * 3, clean=0.3)
    assert {answer.label for answer in answers} == {CueLabel.UNDETERMINED}
    assert "not recognized" in answers[0].why


def test_a_suppression_that_was_not_measured_is_named() -> None:
    labels = np.repeat([0, 1], IMAGES)
    right = np.ones(len(labels), dtype=bool)
    gray = replace(registry.get("perturbations", "grayscale"), ladder=(1.0,))
    curves = {"grayscale": count(gray, right, right[None, None], labels, 2)}
    answer = label_classes(gather(curves, {Cue.COLOR: right}, labels, 0.95), 0.95)[0]
    assert answer.label is CueLabel.UNDETERMINED
    assert "patch_shuffle at 4" in answer.why
    assert "median_blur at 0.16" in answer.why
    assert answer.evidence[Cue.SHAPE].value is None


@given(st.lists(st.fixed_dictionaries({name: st.floats(0, 1) for name, _ in DOSES}), min_size=2, max_size=4))
def test_any_answers_give_a_label_and_ordered_intervals(keep: list[dict[str, float]]) -> None:
    for answer in labels_of(keep):
        assert answer.why
        for interval in answer.evidence.values():
            assert interval.low is not None
            assert interval.low <= interval.value <= interval.high  # type: ignore[operator]
        if answer.label in (CueLabel.SHAPE, CueLabel.TEXTURE, CueLabel.COLOR):
            values = {cue: interval.value for cue, interval in answer.evidence.items()}
            assert max(values, key=values.get) == answer.label.value  # type: ignore[arg-type]


@given(st.permutations(range(3)))
def test_the_order_of_classes_does_not_matter(order: list[int]) -> None:
    keep = [pure(Cue.SHAPE), pure(Cue.TEXTURE) | {"grayscale": 0.6}, pure(Cue.COLOR)]
    plain = [answer.label for answer in labels_of(keep)]
    assert [answer.label for answer in labels_of([keep[place] for place in order])] == [plain[place] for place in order]
