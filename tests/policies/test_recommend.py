"""Policies from profiles: the strongest value that is safe for all who get it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.errors import SettingsError
from cuesense.policies.budgets import images_needed
from cuesense.policies.policy import Policy, PolicyOptions, uniform
from cuesense.policies.profile_budgets import budgets_of
from cuesense.policies.recommend import check_options, choose_scope, clusters, export, propose, recommend, verified
from cuesense.schemas.profile import LeakModel, Profile, RivalModel, TrainedModel, VerifiedModel
from cuesense.stats.intervals import tango
from tests.helpers.profiles import NAMES, profile
from tests.helpers.profiles_with_forecasts import CLEAN, CROP, CROPPED, JITTER, LOST, forecast, planted


def test_the_global_policy_is_the_best_within_the_risk() -> None:
    gaining = [[-0.1] * 3, [-0.12, 0.2, -0.1], [0.3] * 3, [0.3] * 3]
    assert recommend(forecast({CROP: gaining, JITTER: CLEAN}, runs=2)) == uniform({CROP: 0.7}, NAMES[:3])


@pytest.mark.parametrize(("all_but", "names"), [(0.0, ()), (0.333, ()), (0.334, (CROP,)), (0.666, (CROP,))])
def test_a_whole_number_of_classes_may_be_harmed(all_but: float, names: tuple[str, ...]) -> None:
    harming_one = [[-0.2, 0.9, -0.2]] * 4
    found = forecast({CROP: harming_one, JITTER: [[0.5] * 3] * 4}, runs=2)
    accuracy = [0.6, 0.95, 0.3]
    assert found.forecast is not None
    known = found.model_copy(update={"forecast": found.forecast.model_copy(update={"accuracy": accuracy})})
    assert recommend(known, all_but=all_but, spares=False, weights=False).names == names


@pytest.mark.parametrize(("share", "grouped", "guarded"), [(0.05, 2, 3), (0.2, 2, 2), (0.199, 2, 3), (0.049, 3, 3)])
def test_confused_classes_share_their_values(share: float, grouped: int, guarded: int) -> None:
    confused = planted(LOST, rivals={1: [(0, CROP, share)]})
    found = {scope: recommend(confused, scope, augmentations=[CROP, JITTER]) for scope in ("grouped", "per_class")}  # type: ignore[arg-type]
    assert len(set(found["grouped"].groups)) == grouped
    assert len(set(found["per_class"].groups)) == guarded
    if grouped == 2:
        assert found["grouped"].of_class(0) == found["grouped"].of_class(1)
    assert recommend(confused, "per_class", guards=False).groups == (0, 1, 2)


def test_confusion_under_a_suppression_of_a_cue_makes_no_cluster() -> None:
    assert clusters(planted(LOST, rivals={1: [(0, "grayscale", 0.9)]}), 0.05).tolist() == [0, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=12))
def test_clusters_are_the_transitive_closure(pairs: list[tuple[int, int]]) -> None:
    base = profile(12)
    linked = [
        entry.model_copy(
            update={
                "rivals": [
                    RivalModel(rival=NAMES[other], perturbation=CROP, share=0.5)
                    for start, other in pairs
                    if start == entry.index
                ]
            }
        )
        for entry in base.classes
    ]
    found = clusters(base.model_copy(update={"classes": linked}), 0.05)
    reach = np.eye(12, dtype=bool)
    for start, other in pairs:
        reach[start, other] = reach[other, start] = True
    for middle, start, end in itertools.product(range(12), repeat=3):
        reach[start, end] |= reach[start, middle] and reach[middle, end]
    assert np.array_equal(found[:, None] == found[None, :], reach)


@settings(max_examples=25)
@given(st.floats(0.01, 0.9), st.floats(0.55, 0.99))
def test_the_needed_number_is_the_smallest_that_does(tolerance: float, confidence: float) -> None:
    needed = images_needed(tolerance, confidence)
    upper = [float(tango(0.0, 0.0, number, confidence)[1]) for number in (needed, max(2, needed - 1))]
    assert upper[0] <= tolerance
    assert needed == 2 or upper[1] > tolerance


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"tolerance": 0.0}, "tolerance"),
        ({"tolerance": 1.0}, "tolerance"),
        ({"tolerance": float("nan")}, "tolerance"),
        ({"augmentations": ["hue"]}, "one that the profile measured"),
        ({"augmentations": ["grayscale"]}, "one that the profile measured"),
        ({"scope": "clas"}, "Unknown scope"),
        ({"probability": 0.0}, r"in \(0, 1\]"),
        ({"probability": 1.5}, r"in \(0, 1\]"),
        ({"probability": "x"}, r"Expected probability to be in \(0, 1\], but got 'x'"),
        ({"probability": None}, r"but got None"),
        ({"all_but": "x"}, "all_but"),
        ({"augmentations": 5}, "Expected augmentations to be a list of names, but got 5"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        recommend(planted(LOST), **arguments)  # type: ignore[arg-type]


def test_a_profile_without_augmentations_is_refused() -> None:
    base = planted({})
    bare = base.model_copy(update={"curves": [curve for curve in base.curves if curve.role == "suppression"]})
    with pytest.raises(SettingsError, match="one that measured augmentations"):
        recommend(bare)


def test_policies_refuse_values_that_do_not_exist() -> None:
    with pytest.raises(SettingsError, match="random_resized_crop's scale"):
        uniform({CROP: 1.5}, NAMES)
    with pytest.raises(SettingsError, match="Did you mean 'color_jitter'"):
        uniform({"color_jiter": 0.5}, NAMES)


def test_only_one_scope_may_be_named() -> None:
    assert choose_scope(grouped=False, per_class=False) == "global"
    assert choose_scope(grouped=True, per_class=False) == "grouped"
    assert choose_scope(grouped=False, per_class=True) == "per_class"
    with pytest.raises(SettingsError, match="both"):
        choose_scope(grouped=True, per_class=True)


def test_json_gives_ranges_from_low_to_high() -> None:
    found: Profile = planted(LOST)
    written = json.loads(export(uniform({CROP: 0.2, JITTER: 0.8}, NAMES[:3]), found, "json"))
    assert written["augmentations"][0] == {
        "name": CROP,
        "parameter": "scale",
        "unit": "area fraction",
        "low": 0.2,
        "high": 1.0,
    }
    assert written["augmentations"][1]["low"] == 0.0
    each = json.loads(export(recommend(found, "per_class"), found, "json"))
    assert [group["classes"] for group in each["groups"]] == [[name] for name in NAMES[:3]]


def test_a_policy_by_class_speaks_of_each_class() -> None:
    policy = Policy("grouped", 0.5, ("a", "b", "c"), (0, 1, 0), ({CROP: 0.4}, {JITTER: 0.2}))
    assert policy.of_class(2) == {CROP: 0.4}
    assert policy.names == (CROP, JITTER)
    assert [group["classes"] for group in policy.to_dict()["groups"]] == [["a", "c"], ["b"]]


def test_leaks_in_the_forecast_bind_the_taker() -> None:
    leak = LeakModel.model_validate({"of": NAMES[1], "class": NAMES[0], "share": 0.3})
    found = forecast({CROP: CROPPED}, leaks=[leak])
    assert budgets_of(found)[CROP][0].limited_by == f"leak from {NAMES[1]}"
    assert budgets_of(found)[CROP][1].limited_by == f"leak into {NAMES[0]}"


def test_a_policy_by_class_that_was_beaten_is_not_offered() -> None:
    found = forecast({CROP: CROPPED})
    own = recommend(found, "per_class")

    def seen(worst: float, policy: Policy = own) -> Profile:
        trained = {"per_class": (policy.to_dict(), worst), "matched": (uniform({CROP: 0.3}, NAMES[:3]).to_dict(), 0.6)}
        policies = {
            name: TrainedModel(policy=listed, mean=0.8, worst=value, over_tolerance=0)
            for name, (listed, value) in trained.items()
        }
        return found.model_copy(update={"verified": VerifiedModel(tolerance=0.05, seeds=5, policies=policies)})

    assert recommend(seen(0.6), "per_class") == own
    assert recommend(seen(0.5, uniform({}, NAMES[:3])), "per_class") == own
    assert recommend(seen(0.5)) == recommend(found)
    assert propose(seen(0.5), PolicyOptions("per_class")) == own
    with pytest.raises(SettingsError, match=r"got a worst class of 50.0% instead of 60.0%.*Take the policy for all"):
        recommend(seen(0.5), "per_class")
    known = verified(seen(0.5), own)
    assert known is not None
    assert list(known.policies) == ["policy", "matched"]
    assert verified(seen(0.5), recommend(found)) is None
    assert verified(seen(0.5), replace(own, probability=0.5)) is None


@pytest.mark.parametrize("seeds", [2, 3])
def test_only_three_seeds_speak_against_a_policy_by_class(seeds: int) -> None:
    found = forecast({CROP: CROPPED})
    own = recommend(found, "per_class")
    trained = {"per_class": (own, 0.5), "matched": (uniform({CROP: 0.3}, NAMES[:3]), 0.6)}
    policies = {
        name: TrainedModel(policy=policy.to_dict(), mean=0.8, worst=worst, over_tolerance=0)
        for name, (policy, worst) in trained.items()
    }
    seen = found.model_copy(update={"verified": VerifiedModel(tolerance=0.05, seeds=seeds, policies=policies)})
    if seeds == 2:
        assert recommend(seen, "per_class") == own
        return
    with pytest.raises(SettingsError, match="Take the policy for all classes"):
        recommend(seen, "per_class")


@pytest.mark.parametrize("probability", [1e-6, 1.0])
def test_a_view_may_be_augmented_nearly_never_or_always(probability: float) -> None:
    assert recommend(planted(LOST), probability=probability).probability == probability


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (PolicyOptions(tolerance=1.0), "Expected tolerance"),
        (PolicyOptions(risk=0.51), "Expected risk"),
        (PolicyOptions(all_but=1.0), "Expected all_but"),
        (PolicyOptions(probability=0.0), r"in \(0, 1\]"),
        (PolicyOptions("per_class"), "torchvision"),
    ],
)
def test_options_are_checked_before_anything_is_trained(options: PolicyOptions, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        check_options(planted(LOST), options, "torchvision", None)
    check_options(planted(LOST), PolicyOptions(), "torchvision", None)


COUNTS = st.lists(st.lists(st.sampled_from([0, 2, 30, 120]), min_size=3, max_size=3), min_size=4, max_size=4)
RIVALS = st.dictionaries(
    st.integers(0, 2),
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([CROP, "grayscale"]), st.sampled_from([0.04, 0.1, 0.3])),
        max_size=2,
    ),
    max_size=3,
)


def reached(rivals: dict[int, list[tuple[int, str, float]]], start: int, share: float) -> list[int]:
    """Return the classes that are linked to one, breadth first."""
    links = {
        frozenset({one, other})
        for one, taken in rivals.items()
        for other, name, part in taken
        if name == CROP and part >= share
    }
    found = [start]
    for known in found:
        found += [other for other in range(3) if frozenset({known, other}) in links and other not in found]
    return sorted(found)


@settings(max_examples=15, deadline=None)
@given(COUNTS, COUNTS, RIVALS, st.sampled_from(["grouped", "per_class"]), st.booleans())
def test_every_class_gets_the_mildest_budget_of_those_that_share_its_values(crop, jitter, rivals, scope, guards):
    found = planted({CROP: crop, JITTER: jitter}, rivals=rivals)
    chosen = {CROP: (0.7, 0.4, 0.2, 0.08), JITTER: (0.1, 0.2, 0.4, 0.8)}
    policy = recommend(found, scope, augmentations=list(chosen), guards=guards)
    budgets = budgets_of(found, augmentations=list(chosen))
    share = {"grouped": 0.05, "per_class": 0.2}.get(scope, 1.0)
    for index in range(3):
        alone = scope == "per_class" and not guards
        together = range(3) if scope == "global" else [index] if alone else reached(rivals, index, share)
        mildest = {name: min(budgets[name][other].severity for other in together) for name in chosen}
        assert policy.of_class(index) == {
            name: chosen[name][severity - 1] for name, severity in mildest.items() if severity
        }


def refusal(function, *given_values, **options) -> str:
    with pytest.raises(SettingsError) as error:
        function(*given_values, **options)
    return error.value.for_command_line


@pytest.mark.parametrize("size", [0, -1, 4097])
def test_an_image_size_out_of_range_is_refused(size: int) -> None:
    found = planted(LOST)
    sentence = f"Expected --image-size to be a whole number from 1 to 4096, but got {size}. Change it."
    assert refusal(export, recommend(found), found, "json", size) == sentence
    assert refusal(check_options, found, PolicyOptions(), "json", size) == sentence


@pytest.mark.parametrize(("given_size", "written"), [(None, 224), (1, 1), (4096, 4096)])
def test_code_crops_to_the_size_that_is_given_else_to_the_network_s(given_size: int | None, written: int) -> None:
    found = planted(LOST)
    assert f"({written}, {written})" in export(uniform({CROP: 0.4}, NAMES[:3]), found, "torchvision", given_size)


def test_an_unknown_library_is_refused_with_the_known_ones() -> None:
    found = planted(LOST)
    sentence = refusal(export, recommend(found), found, "torchvison")
    assert sentence.endswith("Did you mean 'torchvision'?")
    assert refusal(check_options, found, PolicyOptions(), "torchvison", None) == sentence


@pytest.mark.parametrize("scope", ["global", "grouped", "per_class"])
@pytest.mark.parametrize("library", ["json", "yaml"])
def test_plain_formats_express_every_scope(scope: str, library: str) -> None:
    found = planted(LOST)
    check_options(found, PolicyOptions(scope), library, None)  # type: ignore[arg-type]
    assert export(recommend(found, scope), found, library).endswith("\n")  # type: ignore[arg-type]


def test_both_scopes_together_are_refused() -> None:
    assert refusal(choose_scope, grouped=True, per_class=True) == (
        "Expected the scope of the policy to be one of --grouped and --per-class, but got both. Leave one out."
    )


def test_rivals_that_are_no_classes_make_no_cluster() -> None:
    """A network may have more outputs than the dataset has classes."""
    base = planted({})
    stranger = RivalModel(rival="no class", perturbation=CROP, share=0.9)
    own = RivalModel(rival=NAMES[2], perturbation=CROP, share=0.9)
    classes = [
        base.classes[0].model_copy(update={"rivals": [stranger]}),
        base.classes[1].model_copy(update={"rivals": [stranger, own]}),
        base.classes[2],
    ]
    assert clusters(base.model_copy(update={"classes": classes}), 0.05).tolist() == [0, 1, 1]


def test_a_profile_may_be_named_by_its_file_or_folder(tmp_path: Path) -> None:
    found = planted(LOST)
    (tmp_path / "profile.json").write_text(found.to_json(), encoding="utf-8")
    policy = recommend(found)
    for named in (tmp_path, tmp_path / "profile.json", str(tmp_path)):
        assert recommend(named) == policy
        assert export(policy, named, "json") == export(policy, found, "json")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda _: recommend(None),
            "Expected profile to be a Profile, a profile.json or its folder, but got NoneType",
        ),
        (lambda found: export(found, found, "json"), "Expected policy to be a Policy, but got Profile"),
        (lambda _: export(uniform({}, NAMES), None, "json"), "Expected profile to be"),
        (lambda found: export(uniform({}, NAMES), found, "json", "64"), "Expected image_size to be a whole number"),
        (lambda found: export(uniform({}, NAMES), found, "json", 1.5), "Expected image_size to be a whole number"),
        (lambda found: recommend(found, augmentations=CROP), "Expected augmentations to be a list of names"),
    ],
)
def test_what_is_given_is_checked_in_one_sentence(call: Callable[[object], object], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        call(planted(LOST))


def test_trainings_without_class_weights_say_nothing_of_a_policy_with_them() -> None:
    policy = uniform({CROP: 0.4}, NAMES[:3])
    trained = TrainedModel(policy=policy.to_dict(), mean=0.8, worst=0.6, over_tolerance=0)
    block = VerifiedModel(tolerance=0.05, seeds=5, policies={"global": trained})
    seen = forecast({CROP: CROPPED}).model_copy(update={"verified": block})
    known = verified(seen, policy)
    assert known is not None
    assert known.policies == {"policy": trained, "global": trained}
    assert verified(seen, replace(policy, class_weights=(0.8, 1.2, 1.0))) is None
