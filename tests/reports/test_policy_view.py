from dataclasses import replace

import pytest

from cuesense.policies.advice import advise
from cuesense.policies.policy import PolicyOptions, uniform
from cuesense.policies.recommend import export
from cuesense.reports.policy_view import LIBRARIES, PolicyView, policy_view
from cuesense.schemas.profile import Profile, TrainedModel, VerifiedModel
from tests.helpers.profiles_with_forecasts import CLEAN, CROP, JITTER, forecast, planted

# Crops make the third class better and, from the third value on, the second one worse.
GAINS = {CROP: [[0, 0, -0.1], [0, 0, -0.3], [0, 0.2, -0.3], [0, 0.4, -0.3]], JITTER: CLEAN}


def viewed(profile: Profile) -> PolicyView:
    return policy_view(profile, advise(profile))


@pytest.fixture(scope="module")
def profile() -> Profile:
    return forecast(GAINS, runs=2)


def test_the_recommended_policy_comes_first_with_its_forecast(profile):
    found = viewed(profile)
    advice = advise(profile)
    first = found.compared[0]
    assert first.is_recommended
    assert [entry.is_recommended for entry in found.compared].count(True) == 1
    assert first.mean == pytest.approx(advice.outlooks["recommended"].mean)
    assert first.worst_class == advice.outlooks["recommended"].worst_class
    assert first.over == 0
    assert "random resized crop to 0.4" in first.words
    assert [entry.title for entry in found.compared[1:3]] == ["No augmentation", "Usual default"]


def test_every_value_says_what_limits_it(profile):
    values = {name: (value, limit) for name, value, limit in viewed(profile).values}
    assert values[CROP][0] == "0.4"
    assert "barn spider" in values[CROP][1]
    assert set(values) == {CROP, JITTER}


def test_every_class_has_its_risk(profile):
    found = viewed(profile)
    assert list(found.risks) == [entry.name for entry in profile.classes]
    own, usual = found.risks["barn spider"]
    assert own.risk < profile.policy.risk < usual.risk
    assert usual.loss > own.loss


def test_the_code_is_what_recommend_exports(profile):
    found = viewed(profile)
    policy = advise(profile, PolicyOptions(spares=False)).policy
    assert [code.library for code in found.code] == list(LIBRARIES.values())
    for code, library in zip(found.code, LIBRARIES, strict=True):
        assert code.text == export(policy, profile, library).strip("\n")
        assert not code.problem
    assert found.code_of == ""


def test_a_library_that_cannot_says_why(profile):
    model = profile.provenance.model.model_copy(update={"preprocessing": {}})
    unknown = profile.model_copy(update={"provenance": profile.provenance.model_copy(update={"model": model})})
    by_library = {code.library: code for code in viewed(unknown).code}
    assert by_library["torchvision"].text == ""
    assert "image_size" in by_library["torchvision"].problem


def test_where_nothing_is_recommended_the_code_is_of_the_next_best():
    found = viewed(forecast({CROP: [[0.01] * 3] * 4, JITTER: [[0.02] * 3] * 4}))
    assert found.compared[0].words == "train without augmentation"
    assert [entry.title for entry in found.compared] == ["Recommended", "Usual default", "Next best"]
    assert "this is the next best" in found.code_of
    assert "RandomResizedCrop" in found.code[0].text or "ColorJitter" in found.code[0].text
    assert found.code_of.endswith("of the views.")


@pytest.mark.parametrize("over", [1, 3])
def test_code_of_a_next_best_over_the_risk_says_for_how_many_classes(over):
    found = viewed(forecast({CROP: [[0.3] * over + [-0.01] * (3 - over)] * 4}))
    assert [entry.over for entry in found.compared if entry.title == "Next best"] == [over]
    classes = "1 class" if over == 1 else "3 classes"
    assert found.code_of.endswith(f"of the views; it is over the accepted risk for {classes}.")


def test_where_nothing_is_forecast_there_are_no_limits_no_counts_and_no_next_best():
    found = viewed(planted({}, images=1))
    assert [(entry.title, entry.mean, entry.over) for entry in found.compared] == [
        ("Recommended", None, None),
        ("Usual default", None, None),
    ]
    assert found.values == ()
    assert found.code_of == ""
    assert "RandomResizedCrop" not in found.code[0].text


def test_results_of_trainings_are_listed(profile):
    trained = TrainedModel(policy=None, mean=0.8, worst=0.6, over_tolerance=0)
    seen = VerifiedModel(tolerance=0.05, seeds=3, policies={"none": trained, "global": trained, "own_one": trained})
    found = viewed(profile.model_copy(update={"verified": seen}))
    assert [name for name, _ in found.trained] == ["no augmentation", "the policy for all classes", "own one"]


def trained(policy, gain, **more):
    content = None if policy is None else policy.to_dict()
    return TrainedModel(policy=content, mean=0.9, worst=0.5, over_tolerance=0, gain=gain, **more)


def test_what_trainings_showed_of_each_class_stands_beside_the_forecast_of_the_same_policy(profile):
    advice = advise(profile)
    recommended, usual = (
        replace(advice.policies[name], class_weights=()) for name in ("recommended", "the usual default")
    )
    other = uniform({JITTER: 0.05}, usual.class_names)
    classes = len(profile.classes)
    rows = {
        "none": trained(None, [0.0] * classes),
        "usual": trained(usual, [-0.2] * classes, gain_margin=[0.1] * classes),
        "best_uniform": trained(other, [0.1] * classes),
        "relaxed": trained(other, [0.1] * classes),
        "matched": trained(uniform({JITTER: 0.2}, usual.class_names), [0.1] * classes),
        "grouped": trained(uniform({JITTER: 0.1}, usual.class_names), []),
        "global": trained(recommended, [0.05] * classes, gain_margin=[None] * classes),
    }
    known = profile.model_copy(update={"verified": VerifiedModel(tolerance=0.05, seeds=1, policies=rows)})
    gains = policy_view(known, replace(advice, policies={**advice.policies, "recommended": recommended})).gains
    assert [(found.title, found.forecast) for found in gains] == [
        ("the usual default", 1),
        ("the best uniform policy", None),
        ("the policy for all classes", 0),
    ]
    assert gains[0].margin == [0.1] * classes
    assert gains[1].margin == [None] * classes
    assert viewed(profile).gains == ()
