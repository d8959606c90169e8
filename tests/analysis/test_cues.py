"""Labels from planted answers: classes whose behavior under every suppression is known."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.analysis.cues import CERTAIN_WITH_LESS, DOMINANT, name_cues
from cuesense.analysis.evidence import gather
from cuesense.analysis.hypotheses import CUES_LEFT, verdict_of
from cuesense.perturbations.ablations import ALL_REMOVED, PRIMARY_ABLATION, REPLICATE_ABLATION, SHAM, SINGLE_CUE
from cuesense.types import ClassCue, Cue, CueVerdict
from tests.helpers.cue_predictions import EVERY, predictions, recognized_with, shares_kept

PURE = {cue: shares_kept(recognized_with(cue.value)) for cue in Cue}
COMPANY = 6 * list(PURE.values())


def verdicts_of(shares, **changes) -> list[ClassCue]:
    found = predictions(shares, **changes)
    return name_cues(gather(found, 0.95), found.class_names)


@pytest.mark.parametrize(
    ("subsets", "label"),
    [
        (("color",), CueVerdict.COLOR),
        (("shape",), CueVerdict.SHAPE),
        (("texture",), CueVerdict.TEXTURE),
        (("color", "shape"), CueVerdict.REDUNDANT),
        (("color", "shape", "texture"), CueVerdict.REDUNDANT),
        (("color shape",), CueVerdict.MIXED),
        (("color shape texture",), CueVerdict.MIXED),
        (("",), CueVerdict.INSENSITIVE),
    ],
)
def test_every_need_is_recovered_from_its_answers(subsets: tuple[str, ...], label: CueVerdict) -> None:
    hypothesis = recognized_with(*subsets)
    assert verdict_of(hypothesis) is label
    answer = verdicts_of([shares_kept(hypothesis), *PURE.values()])[0]
    assert answer.cue is label
    assert answer.probabilities[label] >= CERTAIN_WITH_LESS
    assert sum(answer.probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize("subsets", [("color", "shape texture"), ("color shape", "color texture", "shape texture")])
def test_a_class_that_loses_nothing_and_of_which_no_two_cues_suffice_has_no_word(subsets: tuple[str, ...]) -> None:
    """Not redundant, which is literal, and what the reader calls mixed loses something without some cue."""
    hypothesis = recognized_with(*subsets)
    assert verdict_of(hypothesis) is CueVerdict.MIXED
    answer = verdicts_of([shares_kept(hypothesis), *PURE.values()])[0]
    assert answer.probabilities[CueVerdict.MIXED] >= CERTAIN_WITH_LESS
    assert answer.cue is CueVerdict.UNDETERMINED
    assert answer.why.endswith("the class loses at most 6 of 100 points when one cue is removed")


def test_the_only_class_has_no_cue_and_that_is_the_reason() -> None:
    answer = verdicts_of([shares_kept(recognized_with("color"))])[0]
    assert answer.cue is CueVerdict.UNDETERMINED
    assert answer.why == "is the only class: what tells it from others cannot be measured"


def test_the_sentence_can_be_checked_against_the_answers() -> None:
    color = verdicts_of([PURE[Cue.COLOR], PURE[Cue.SHAPE]])[0]
    assert color.why.startswith("loses 100 of 100 points when color is removed; keeps 100 when only color is left")
    assert color.why.endswith("two color suppressions agree")
    assert color.evidence[Cue.COLOR].agree
    assert color.evidence[Cue.COLOR].necessary
    assert color.evidence[Cue.COLOR].q == pytest.approx(0, abs=1e-6)
    assert not color.evidence[Cue.SHAPE].necessary


def test_a_second_suppression_that_disagrees_is_named() -> None:
    torn = PURE[Cue.COLOR] | {REPLICATE_ABLATION[Cue.COLOR]: 0.9}
    answer = verdicts_of([torn, PURE[Cue.SHAPE]])[0]
    assert answer.evidence[Cue.COLOR].agree is False
    assert answer.cue is CueVerdict.COLOR
    assert answer.why.endswith("; a second color suppression disagrees (11)")


def between_mixed_and(cue: Cue, alone: float):
    """Return shares near the thresholds of shape and of one cue alone."""
    return PURE[cue] | {
        PRIMARY_ABLATION[Cue.SHAPE]: 0.45,
        REPLICATE_ABLATION[Cue.SHAPE]: 0.45,
        SINGLE_CUE[cue]: alone,
    }


def test_answers_that_fit_two_labels_stay_undetermined() -> None:
    answer = verdicts_of([between_mixed_and(Cue.COLOR, 0.43), *COMPANY])[0]
    assert answer.cue is CueVerdict.UNDETERMINED
    assert answer.why.endswith("and 90 % are needed")


def test_answers_that_fit_two_labels_but_certainly_need_fine_detail_say_so() -> None:
    answer = verdicts_of([between_mixed_and(Cue.TEXTURE, 0.3), *COMPANY])[0]
    assert answer.cue is CueVerdict.FINE_DETAIL
    assert answer.why.endswith(
        "and 90 % are needed; loses 100 by opening closing at 0.07 and 100 by median blur at 0.16, "
        "which erase texture and thin lines alike"
    )


def test_the_answer_does_not_depend_on_the_other_classes() -> None:
    alone = {cue: verdicts_of([PURE[cue]] * 4)[0] for cue in Cue}
    mixed = verdicts_of(list(PURE.values()))
    for found, cue in zip(mixed, PURE, strict=True):
        assert found.cue.value == alone[cue].cue.value == cue.value
        assert found.probabilities == pytest.approx(alone[cue].probabilities, abs=1e-3)


def test_a_cue_that_carries_too_little_is_not_named_alone() -> None:
    """Every answer is just on the side of color; what color adds on average over all orders is too little."""
    just = shares_kept(recognized_with("color"), high=0.66, low=0.28)
    just |= {ALL_REMOVED: 0.0, REPLICATE_ABLATION[Cue.COLOR]: 0.1, **dict.fromkeys(SHAM.values(), 1.0)}
    answer = verdicts_of([just, *COMPANY], images=200)[0]
    assert max(answer.probabilities, key=lambda label: answer.probabilities[label]) is CueVerdict.COLOR
    assert answer.probabilities[CueVerdict.COLOR] >= CERTAIN_WITH_LESS
    assert answer.cue is CueVerdict.UNDETERMINED
    part = answer.evidence[Cue.COLOR].shapley
    assert part is not None
    assert part < DOMINANT
    assert answer.why.endswith(f"color carries {100 * part:.0f} % of what is kept (Shapley), 70 % are needed")
    clear = verdicts_of(COMPANY)[1].evidence
    assert clear[Cue.TEXTURE].shapley > 0.9  # type: ignore[operator]
    assert abs(clear[Cue.SHAPE].shapley) < 0.1  # type: ignore[arg-type]


def test_what_seams_destroy_is_no_reliance_on_shape() -> None:
    """Half of the images do not survive the sham; of those that do, the shuffle keeps nearly all."""
    fragile = shares_kept(recognized_with("texture")) | {
        SHAM[Cue.SHAPE]: 0.4,
        PRIMARY_ABLATION[Cue.SHAPE]: 0.38,
        REPLICATE_ABLATION[Cue.SHAPE]: 0.38,
        SINGLE_CUE[Cue.TEXTURE]: 0.36,
    }
    answer = verdicts_of([fragile, PURE[Cue.COLOR]])[0]
    assert answer.cue is CueVerdict.TEXTURE
    assert answer.evidence[Cue.SHAPE].necessity.value == pytest.approx(0.05, abs=0.06)


def test_guessing_between_two_classes_is_not_knowing() -> None:
    """Without shape, half of each class is called by the other's name: neither is told by color alone."""
    half = shares_kept(recognized_with("color")) | {
        PRIMARY_ABLATION[Cue.SHAPE]: 0.5,
        REPLICATE_ABLATION[Cue.SHAPE]: 0.5,
        SINGLE_CUE[Cue.COLOR]: 0.5,
    }
    shares = [half, half, *[PURE[Cue.TEXTURE]] * 18]
    apart, guessed = predictions(shares), predictions(shares)
    for answers in guessed.per_condition[1:]:
        lost = (answers.labels < 2) & (answers.predicted >= len(shares))
        answers.predicted[lost] = 1 - answers.labels[lost]
        answers.corrected[lost] = 1 - answers.labels[lost]  # type: ignore[index]
    knows, guesses = (
        name_cues(gather(found, 0.95), found.class_names)[0].probabilities[CueVerdict.MIXED]
        for found in (apart, guessed)
    )
    assert guesses > 0.9 > 0.5 > knows


def test_null_pairs_are_undetermined_and_say_with_whom() -> None:
    found = predictions([PURE[Cue.COLOR], PURE[Cue.COLOR], PURE[Cue.SHAPE]])
    for answers in found.per_condition:
        swapped = (answers.labels == 1) & (answers.predicted == 1)
        answers.predicted[swapped] = 0
        answers.corrected[swapped] = 0  # type: ignore[index]
    first, second, third = name_cues(gather(found, 0.95), found.class_names)
    assert first.cue is second.cue is CueVerdict.UNDETERMINED
    assert first.flags["confused_with"] == "class 1"
    assert "cannot be told from class 1" in first.why
    assert "not recognized" in second.why
    assert third.cue is CueVerdict.SHAPE
    assert not third.flags


@pytest.mark.parametrize("images", [1, 9])
def test_too_few_images_are_undetermined_and_flagged(images: int) -> None:
    answer = verdicts_of([PURE[Cue.COLOR]] * 2, images=images, clean=1.0)[0]
    assert answer.cue is CueVerdict.UNDETERMINED
    assert f"has {images} image" in answer.why
    assert answer.flags["few_images"].startswith(str(images))


def test_a_class_that_is_not_recognized_is_undetermined() -> None:
    answers = verdicts_of([PURE[Cue.COLOR]] * 3, clean=0.3)
    assert {answer.cue for answer in answers} == {CueVerdict.UNDETERMINED}
    assert answers[0].why == "is recognized on 30 of 100 clean images only"
    assert "confused_with" not in answers[0].flags
    assert answers[0].flags["weak_class"] == "30 % of its clean images are recognized"


def test_a_suppression_that_was_not_measured_is_named() -> None:
    answer = verdicts_of([PURE[Cue.COLOR]] * 2, ablations=[PRIMARY_ABLATION[Cue.COLOR]])[0]
    assert answer.cue is CueVerdict.UNDETERMINED
    assert "patch shuffle at 3" in answer.why
    assert "opening closing at 0.07" in answer.why
    assert answer.evidence[Cue.SHAPE].necessity.value is None
    assert answer.evidence[Cue.SHAPE].agree is None


def test_three_suppressions_alone_find_single_cues_but_not_redundancy() -> None:
    shares = [
        *PURE.values(),
        shares_kept(recognized_with("color", "shape")),
        shares_kept(recognized_with("color shape")),
    ]
    labels = [answer.cue for answer in verdicts_of(shares, ablations=list(PRIMARY_ABLATION.values()))]
    assert [label.value for label in labels] == [*(cue.value for cue in PURE), "undetermined", "mixed"]


def test_a_class_that_survives_destruction_is_insensitive_and_says_so() -> None:
    answer = verdicts_of([dict.fromkeys(EVERY, 1.0), PURE[Cue.COLOR]])[0]
    assert answer.cue is CueVerdict.INSENSITIVE
    assert answer.why == "keeps 100 of 100 images when shape, texture and color are all removed"


def test_a_class_found_by_elimination_is_flagged() -> None:
    found = predictions([PURE[Cue.SHAPE], PURE[Cue.COLOR]])
    for row, ablation in enumerate(EVERY, start=1):
        if ablation == PRIMARY_ABLATION[Cue.SHAPE]:
            found.per_condition[row].predicted[found.per_condition[row].labels == 0] = 0
    flags = name_cues(gather(found, 0.95), found.class_names)[0].flags
    assert flags["by_elimination"].startswith("keeps 100 of 100 points without shape as the network answers, 0 after")


@settings(max_examples=40)
@given(st.lists(st.fixed_dictionaries({ablation: st.floats(0, 1) for ablation in EVERY}), min_size=2, max_size=4))
def test_any_answers_give_a_label_and_ordered_intervals(shares) -> None:
    for answer in verdicts_of(shares):
        assert answer.why
        for found in answer.evidence.values():
            for interval in (found.necessity, found.sufficiency, found.second):
                if interval.value is not None:
                    assert 0 <= interval.low <= interval.value <= interval.high <= 1  # type: ignore[operator]
        if answer.cue in (CueVerdict.SHAPE, CueVerdict.TEXTURE, CueVerdict.COLOR):
            assert answer.evidence[Cue(answer.cue.value)].necessary


def test_a_lone_class_is_undetermined_because_every_guess_is_right() -> None:
    assert verdicts_of([PURE[Cue.TEXTURE]])[0].cue is CueVerdict.UNDETERMINED


@pytest.mark.parametrize("cue", Cue)
def test_a_class_that_only_the_prior_correction_finds_is_undetermined_and_flagged(cue: Cue) -> None:
    """The one class of its kind: without its cue the network never says it, and no other class is left to say."""
    found = predictions([PURE[cue], *[PURE[other] for other in Cue if other is not cue] * 4])
    for answers, ablation in zip(found.per_condition[1:], EVERY, strict=True):
        if CUES_LEFT.get(ablation, {cue}) != {cue}:
            answers.corrected[answers.labels == 0] = 0  # type: ignore[index]
    answer = name_cues(gather(found, 0.95), found.class_names)[0]
    assert answer.cue is CueVerdict.UNDETERMINED
    assert answer.flags["by_elimination"] == answer.why
    assert re.match(r"keeps [56] of 100 images under ", answer.why)
    assert answer.why.endswith("100 after the prior correction: it may be found by elimination")


def test_a_sink_that_keeps_everything_is_not_said_to_lose_anything() -> None:
    """Without a prior correction: all lost images of the others are called class 0, whose own are never lost."""
    found = predictions([dict.fromkeys(EVERY, 1.0), *[PURE[Cue.COLOR]] * 5, *[PURE[Cue.SHAPE]] * 2])
    for answers in found.per_condition[1:]:
        lost = answers.predicted >= 8
        answers.predicted[lost] = 0
        answers.corrected[lost] = 0  # type: ignore[index]
    answer = name_cues(gather(found, 0.95), found.class_names)[0]
    assert answer.cue is CueVerdict.UNDETERMINED
    assert "sink" in answer.flags
    assert "loses 100" not in answer.why


@given(st.permutations(range(3)))
def test_the_order_of_classes_does_not_matter(order: list[int]) -> None:
    shares = [PURE[Cue.SHAPE], PURE[Cue.TEXTURE] | {ALL_REMOVED: 0.2}, PURE[Cue.COLOR]]
    plain = [answer.cue for answer in verdicts_of(shares)]
    assert [answer.cue for answer in verdicts_of([shares[at] for at in order])] == [plain[at] for at in order]


def test_some_classes_alone_get_the_answers_that_they_have_among_all() -> None:
    found = predictions(list(PURE.values()))
    evidence = gather(found, 0.95)
    every = name_cues(evidence, found.class_names)
    assert name_cues(evidence, found.class_names, [2, 0]) == [every[2], every[0]]


def test_a_class_without_images_is_no_sink() -> None:
    found = predictions(list(PURE.values()))
    more = replace(found, class_names=(*found.class_names, "none"), outputs=(*found.outputs, len(found.class_names)))
    answer = name_cues(gather(more, 0.95), more.class_names)[-1]
    assert answer.cue is CueVerdict.UNDETERMINED
    assert set(answer.flags) == {"few_images"}


def renamed(found, **parts):
    """Return the verdicts with some fields of the evidence of every class changed."""
    return name_cues(replace(gather(found, 0.95), **parts), found.class_names)


@pytest.mark.parametrize(
    ("images", "why", "flag"),
    [
        (1, "has 1 image; at least 10 are needed", "1 image"),
        (9, "has 9 images; at least 10 are needed", "9 images"),
        (10, None, "10 images"),
        (19, None, "19 images"),
    ],
)
def test_images_are_counted_in_the_sentence_and_in_the_flag(images: int, why: str | None, flag: str) -> None:
    answer = verdicts_of([*PURE.values()] * 2, images=images, clean=1.0)[0]
    assert answer.flags["few_images"] == flag
    assert (answer.why == why) == (why is not None)
    assert ("are needed" in answer.why) == (why is not None)


def test_images_that_are_missing_under_an_ablation_are_told_from_missing_clean_ones() -> None:
    found = predictions([*PURE.values()] * 2)
    fewest = np.array([1, 9, 60, 60, 60, 60])
    first, second, third, *_ = renamed(found, fewest=fewest)
    assert first.why == "has 1 image under the ablation of a cue; at least 10 are needed"
    assert second.why == "has 9 images under the ablation of a cue; at least 10 are needed"
    assert second.flags == {"few_images": "9 images"}
    assert third.flags == {}


def test_every_missing_primary_ablation_is_named_with_its_value() -> None:
    def why(*missing: Cue) -> str:
        left = [ablation for ablation in EVERY if ablation not in [PRIMARY_ABLATION[cue] for cue in missing]]
        return verdicts_of(COMPANY, ablations=left)[0].why

    assert why(Cue.COLOR) == "was not measured under grayscale at 1"
    assert why(Cue.SHAPE, Cue.TEXTURE) == ("was not measured under patch shuffle at 3, opening closing at 0.07")


@pytest.mark.parametrize("q", [0.11, 1.0, float("nan")])
@pytest.mark.parametrize("cue", Cue)
def test_a_loss_that_may_be_chance_is_no_reliance(cue: Cue, q: float) -> None:
    found = predictions([shares_kept(recognized_with(cue.value), high=1.0, low=0.0), *COMPANY])
    rates = {other: np.array(values) for other, values in gather(found, 0.95).q.items()}
    rates[cue][0] = q
    answer = renamed(found, q=rates)[0]
    listed = {other: "100" if other is cue else "0" for other in Cue}
    losses = ", ".join(f"{lost} without {other.value}" for other, lost in listed.items())
    assert answer.why == f"loses at least {losses} of 100 points; the loss without {cue.value} may be chance"
    assert answer.cue is CueVerdict.UNDETERMINED
    # Only the verdict is withheld: the probabilities say what the images do.
    assert answer.probabilities[CueVerdict(cue.value)] >= CERTAIN_WITH_LESS


def test_two_verdicts_that_fit_are_named_with_their_probabilities_the_likelier_first() -> None:
    answer = verdicts_of([between_mixed_and(Cue.COLOR, 0.43), *COMPANY])[0]
    ranked = sorted(answer.probabilities.items(), key=lambda pair: -pair[1])
    (first, most), (second, less) = ranked[:2]
    assert most < CERTAIN_WITH_LESS
    assert answer.why.endswith(
        f" of 100 points; the likeliest answers are {first} ({100 * most:.0f} %) and {second} ({100 * less:.0f} %), "
        "and 90 % are needed"
    )
    assert re.match(r"loses at least \d+ without shape, \d+ without texture, \d+ without color of 100", answer.why)


def test_a_sink_is_flagged_with_how_often_and_where() -> None:
    found = predictions(COMPANY)
    condition = found.conditions[1 + EVERY.index(PRIMARY_ABLATION[Cue.TEXTURE])]
    sinks = ((condition, 6.25), (condition, float("nan")), *[None] * (len(COMPANY) - 2))
    first, second, third, *_ = renamed(found, sinks=sinks)
    assert first.flags == {"sink": "predicted 6.2 times its share under opening closing at 0.07"}
    # The second class relies on texture, whose confirmation was not measured.
    assert "sink" not in second.flags
    assert third.flags == {}


def test_a_class_has_all_the_flags_that_are_true_of_it() -> None:
    found = predictions(COMPANY)
    evidence = gather(found, 0.95)
    recognized, mistaken, fewest = (
        np.array(part) for part in (evidence.recognized, evidence.mistaken, evidence.fewest)
    )
    recognized[0], mistaken[0], fewest[0] = 0.62, 0.3, 12
    rival = np.array(evidence.rival)
    rival[0] = 4
    answer = renamed(found, recognized=recognized, mistaken=mistaken, fewest=fewest, rival=rival)[0]
    assert answer.flags == {
        "confused_with": "class 4",
        "weak_class": "62 % of its clean images are recognized",
        "few_images": "12 images",
    }
    assert answer.why == "cannot be told from class 4 on clean images (30 of 100 are taken for it)"


@settings(max_examples=10, deadline=None)
@given(st.permutations(list(Cue)), st.floats(0.6, 1.0), st.floats(0.0, 0.2))
def test_classes_of_other_cues_are_explained_by_other_words_alone(order, high: float, low: float) -> None:
    """The sentence of a class depends on its own numbers, wherever it stands."""
    shares = [shares_kept(recognized_with(cue.value), high, low) for cue in order]
    sentences = dict(zip(order, (entry.why for entry in verdicts_of(shares * 3)), strict=False))
    plain = [shares_kept(recognized_with(cue.value), high, low) for cue in Cue]
    assert [sentences[cue] for cue in Cue] == [entry.why for entry in verdicts_of(plain * 3)[:3]]
