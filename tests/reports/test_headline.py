import gc

import pytest

from cuesense.policies.advice import USUAL, advise
from cuesense.reports import headline as headline_module
from cuesense.reports.headline import headline
from cuesense.reports.html.profile import render
from cuesense.reports.profile_text import seen_text
from cuesense.schemas.profile import BudgetModel, ClassModel, CurveModel, Profile, RivalModel
from cuesense.types import BudgetStatus, Role
from tests.helpers.partly_seen import partly_seen
from tests.helpers.profiles import NAMES, profile
from tests.helpers.profiles_with_forecasts import CROP, JITTER

NBSP = "\N{NO-BREAK SPACE}"
LADDER = 4


def budget(losses: list[float], severity: int, status: BudgetStatus, certified: float | None = None) -> BudgetModel:
    """Return a budget that reaches a severity, with expected drops whose bounds are 4 points away."""
    return BudgetModel(
        parameter="scale",
        unit="area fraction",
        value=None if severity == 0 else [0.7, 0.4, 0.2, 0.08][severity - 1],
        status=status,
        drop=losses[0],
        low=None,
        high=None,
        limited_by=None,
        severity=severity,
        certified=certified,
        expected=losses,
        expected_low=[loss - 0.04 for loss in losses],
        expected_high=[loss + 0.04 for loss in losses],
    )


def planted(crop: list[tuple[list[float], int, BudgetStatus]], *, images: int = 50, names=NAMES) -> Profile:
    """Return a profile of classes with these budgets for crops, and all of them safe under jitter."""
    base = profile(len(crop), images=images, names=names)
    safe = budget([0.0] * LADDER, LADDER, BudgetStatus.UNLIMITED)
    classes = [
        entry.model_copy(update={"budgets": {CROP: budget(*part), JITTER: safe}, "rivals": []})
        for entry, part in zip(base.classes, crop, strict=True)
    ]
    kept = [
        curve for curve in base.curves if curve.role is not Role.AUGMENTATION or curve.perturbation in (CROP, JITTER)
    ]
    return base.model_copy(update={"classes": classes, "curves": kept})


SAFE = ([0.0, 0.0, 0.0, 0.01], LADDER, BudgetStatus.UNLIMITED)
LOSES = ([0.0, 0.03, 0.1, 0.18], 2, BudgetStatus.LIMITED)
FALLS = ([0.2, 0.3, 0.3, 0.4], 0, BudgetStatus.NONE)
OPEN = ([0.0, 0.1, 0.1, 0.1], 0, BudgetStatus.UNDETERMINED)


def findings(*parts, **options) -> list[str]:
    return [text.replace(NBSP, " ") for text in headline(planted(list(parts), **options)).findings]


def test_the_class_that_loses_most_is_named_with_its_loss_its_interval_and_its_budget():
    first, safe = findings(SAFE, LOSES, SAFE)
    assert first == (
        "Random crops down to 8 % of the area: 'barn spider' (budget: 0.4) loses 18 points [14, 22]; "
        "safe for all but 'barn spider'."
    )
    assert safe == "Safe for every class: color jitter of 0.4."


def test_the_class_that_takes_the_lost_images_is_named():
    known = planted([SAFE, LOSES])
    taken = known.classes[1].model_copy(
        update={
            "rivals": [
                RivalModel(rival="goldfish", perturbation=JITTER, share=0.5),
                RivalModel(rival="tench", perturbation=CROP, share=0.1),
            ]
        }
    )
    known = known.model_copy(update={"classes": [known.classes[0], taken]})
    assert "[14, 22], 10 of them to 'tench'; safe" in headline(known).findings[0]


def test_a_class_that_takes_more_than_is_lost_has_no_number():
    # It takes images that were mistaken before as well: "loses 18 points, 30 of them" would be nonsense.
    known = planted([SAFE, LOSES])
    rivals = [RivalModel(rival="tench", perturbation=CROP, share=0.3)]
    taken = known.classes[1].model_copy(update={"rivals": rivals})
    known = known.model_copy(update={"classes": [known.classes[0], taken]})
    assert "loses 18 points [14, 22], many of them to 'tench'; safe" in headline(known).findings[0]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((FALLS, FALLS, FALLS, SAFE), "safe for all but 'tench', 'barn spider', 'goldfish'."),
        ((FALLS, FALLS, FALLS, FALLS, SAFE), "safe for 1 of 5 classes."),
        ((FALLS, FALLS), "safe for no class."),
        ((FALLS, OPEN, SAFE), "safe for 1 of 3 classes, likely harmful to 1, undecided for 1."),
    ],
)
def test_classes_over_the_risk_are_named_while_they_are_few_and_counted_else(parts, said):
    assert findings(*parts)[0].endswith(said)


def test_classes_over_the_risk_that_are_rather_safe_are_not_shown_to_be_harmed() -> None:
    known = planted([FALLS, LOSES, SAFE])

    def with_risk(entry: ClassModel, risk: float) -> ClassModel:
        part = entry.budgets[CROP].model_copy(update={"risks": [0.0, 0.0, risk, risk]})
        return entry.model_copy(update={"budgets": entry.budgets | {CROP: part}})

    def said(first: float, second: float) -> str:
        one, other, safe = known.classes
        classes = [with_risk(one, first), with_risk(other, second), safe]
        return headline(known.model_copy(update={"classes": classes})).findings[0].rpartition("; ")[2]

    assert said(0.9, 0.5) == "safe for all but 'tench', 'barn spider'."
    assert said(0.9, 0.49) == "safe for 1 of 3 classes, likely harmful to 1, undecided for 1."
    assert said(0.4, 0.3) == "safe for 1 of 3 classes, undecided for 2."


def test_a_class_that_is_never_recognized_loses_nothing_and_is_named() -> None:
    known = planted([FALLS, LOSES, SAFE])
    never = known.classes[0].model_copy(update={"clean_accuracy": 0.0})
    found = headline(known.model_copy(update={"classes": [never, *known.classes[1:]]}))
    assert "'barn spider' (budget: 0.4) loses 18 points" in found.findings[0]
    assert found.findings[0].endswith("safe for all but 'barn spider'.")
    assert found.findings[-1].startswith("Safe for every class that is recognized: color jitter")
    assert "Never recognized, so that nothing can be said of what they lose: 'tench'." in found.measured


def test_an_augmentation_that_is_only_open_is_neither_safe_nor_harmful():
    assert findings(OPEN, SAFE)[-1] == "Random crops down to 8 % of the area: undecided for 1 of 2 classes."


def test_a_budget_below_the_usual_strength_is_over_it_and_one_at_it_is_not():
    at_usual = ([0.0, 0.0, 0.04, 0.04], 4, BudgetStatus.LIMITED)
    below = ([0.0, 0.0, 0.04, 0.06], 3, BudgetStatus.LIMITED)
    assert "Safe for every class" in findings(at_usual, SAFE)[0]
    assert "safe for all but 'tench'" in findings(below, SAFE)[0]


def test_names_are_quoted_without_characters_that_command_a_terminal():
    assert "'\ufffd[31mtench' (budget" in findings(LOSES, SAFE, names=("\x1b[31mtench", "b"))[0]


def test_the_advice_is_that_of_recommend_with_its_forecasts():
    known = planted([SAFE, LOSES])
    advice = advise(known)
    said = headline(known, advice).advice
    assert said.startswith("Recommended: ")
    assert f"{100 * advice.outlooks['recommended'].mean:.1f}" in said
    assert f"{100 * advice.outlooks['the usual default'].worst:.1f}" in said
    assert headline(known).advice == said


def test_page_and_terminal_compute_the_advice_on_a_profile_once(monkeypatch):
    asked, kept = [], len(headline_module._ADVICE)
    monkeypatch.setattr(
        headline_module, "advise", lambda profile: asked.append(profile.classes[0].name) or advise(profile)
    )
    for name in ("first", "second"):
        # The second profile may lie where the first one lay.
        known = profile(3, names=(name,))
        page, said = render(known), headline(known)
        assert said == headline(known, advise(known))
        assert said.advice.split(",")[0] in page
        del known, page, said
        gc.collect()
    assert asked == ["first", "second"]
    assert len(headline_module._ADVICE) == kept


def test_the_classes_most_at_risk_are_those_of_recommend_in_its_order():
    known = planted([SAFE, LOSES])
    at_risk = [entry for entry in advise(known).outlooks[USUAL].at_risk if entry.loss > 0][:3]
    assert at_risk
    named = ", ".join(f"'{entry.name}' ({round(100 * entry.loss)} points)" for entry in at_risk)
    assert headline(known).advice.endswith(f"; most at risk by these: {named}.")


def test_usual_augmentations_of_which_nothing_is_known_are_said_not_to_count():
    # The profile measured crops and jitter, but no flips.
    usual = headline(planted([SAFE, LOSES])).advice.partition("with the usual crop, jitter and flips")[2]
    assert "not counting horizontal flip, of which nothing is known" in usual


def test_an_augmentation_that_is_not_registered_has_no_recommendation_but_its_losses():
    known = planted([SAFE, LOSES])

    def renamed(name: str) -> str:
        return "somebody_elses" if name == CROP else name

    curves: list[CurveModel] = [
        curve.model_copy(update={"perturbation": renamed(curve.perturbation)}) for curve in known.curves
    ]
    classes = [
        entry.model_copy(update={"budgets": {renamed(name): part for name, part in entry.budgets.items()}})
        for entry in known.classes
    ]
    found = headline(known.model_copy(update={"curves": curves, "classes": classes}))
    assert found.advice.startswith("No recommendation: ")
    assert found.findings[0].startswith("Somebody elses to 0.08: 'barn spider' (budget: 0.4) loses 18 points")
    assert found.command == "cuesense report DIR"


def test_without_augmentations_there_is_no_advice():
    base = profile(2)
    bare = base.model_copy(update={"classes": [entry.model_copy(update={"budgets": {}}) for entry in base.classes]})
    found = headline(bare)
    assert found.findings == ("No augmentation was measured, so nothing is known of what an augmentation costs.",)
    assert (found.advice, found.command) == ("", "cuesense analyze MODEL --dataset DATASET")
    assert found.measured.startswith("Measured on 100 images of 2 classes (50 a class)")
    assert "augmented" not in found.measured


@pytest.mark.parametrize(("images", "said"), [(69, True), (70, False)])
def test_it_says_how_many_images_would_certify_budgets(images, said):
    found = headline(planted([SAFE, LOSES], images=images)).surer
    assert (
        any(text.startswith("To certify 4 more budgets takes 70 images of each class, none of them") for text in found)
        == said
    )


def test_the_next_command_names_the_folder():
    assert headline(planted([SAFE, LOSES]), folder="out").command == "cuesense recommend out --train TRAIN"


def test_of_a_network_that_recognizes_nothing_that_is_said_and_no_images_are_asked_for() -> None:
    source = planted([SAFE, OPEN])
    never = [entry.model_copy(update={"clean_accuracy": 0.0}) for entry in source.classes]
    found = headline(source.model_copy(update={"classes": never}))
    assert found.findings == ("No image is recognized, so nothing is known of what an augmentation costs.",)
    assert found.surer == ()
    assert headline(source).surer
    bare = source.model_copy(update={"curves": [], "classes": never})
    assert headline(bare).findings[0].startswith("No augmentation was measured")


def test_what_was_measured_says_that_it_was_a_part_of_the_images():
    known = partly_seen()
    said = seen_text(known)
    assert f" are recognized. {said} Losses are " in headline(known).measured
    without = known.model_copy(update={"curves": [curve.model_copy(update={"seen": None}) for curve in known.curves]})
    assert headline(without).measured == headline(known).measured.replace(f" {said}", "")
