"""What a policy is: its values by class, its JSON, and the sentences with which it refuses others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense import registry
from cuesense.errors import SettingsError
from cuesense.policies.policy import (
    DEFAULT_AUGMENTATIONS,
    PROBABILITY,
    SCOPES,
    Policy,
    PolicyOptions,
    augmentation,
    sparing,
    uniform,
)
from cuesense.types import Role

CROP, JITTER, ROTATION, FLIP = "random_resized_crop", "color_jitter", "random_rotation", "horizontal_flip"
NAMES = ("ant", "bee", "cow")
KNOWN = sorted(
    name for name in registry.names("perturbations") if registry.get("perturbations", name).role is Role.AUGMENTATION
)


def grouped(*values: Mapping[str, float], groups: tuple[int, ...] = (0, 1, 0)) -> Policy:
    return Policy("grouped", 0.5, NAMES, groups, values)


@pytest.mark.parametrize("probability", [0.0, -0.1, 1.0001, float("nan")])
def test_a_probability_out_of_range_is_refused(probability: float) -> None:
    with pytest.raises(SettingsError) as error:
        uniform({}, NAMES, probability)
    assert str(error.value) == (
        f"Expected probability to be in (0, 1], but got {probability}. Choose a number inside, such as 0.8."
    )


@pytest.mark.parametrize("probability", [1e-9, 0.5, 1.0])
def test_any_probability_inside_is_kept(probability: float) -> None:
    assert uniform({}, NAMES, probability).probability == probability


@pytest.mark.parametrize(
    ("scope", "hint"),
    [
        ("per_clas", "Did you mean 'per_class'?"),
        ("Global", "Did you mean 'global'?"),
        ("zzz", "Choose one of global, grouped, per_class."),
    ],
)
def test_an_unknown_scope_is_refused_with_a_hint(scope: str, hint: str) -> None:
    with pytest.raises(SettingsError) as error:
        Policy(scope, 0.8, NAMES, (0, 0, 0), ({},))  # type: ignore[arg-type]
    assert str(error.value) == f"Unknown scope '{scope}'. {hint}"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {CROP: 1.01},
            "Expected random_resized_crop's scale to be from 0.01 to 1 (area fraction), but got 1.01. "
            "Choose a value such as 0.7, 0.4, 0.2, 0.08.",
        ),
        (
            {JITTER: -0.1},
            "Expected color_jitter's strength to be from 0 to 2 (fraction), but got -0.1. "
            "Choose a value such as 0.1, 0.2, 0.4, 0.8.",
        ),
    ],
)
def test_a_value_out_of_range_is_refused_in_every_group(values: dict[str, float], sentence: str) -> None:
    for wrong in (lambda: uniform(values, NAMES), lambda: grouped({}, values), lambda: grouped(values, {})):
        with pytest.raises(SettingsError) as error:
            wrong()
        assert str(error.value) == sentence


@pytest.mark.parametrize("name", KNOWN)
def test_both_ends_of_every_augmentation_and_its_ladder_are_allowed(name: str) -> None:
    known = augmentation(name)
    assert known.name == name
    for value in (*known.limits, known.identity, *known.ladder):
        assert uniform({name: value}, NAMES).of_class(2) == {name: value}
    for beyond in (known.limits[0] - 0.001, known.limits[1] + 0.001):
        with pytest.raises(SettingsError, match=f"Expected {name}'s {known.parameter} to be"):
            uniform({name: beyond}, NAMES)


def test_a_uniform_policy_is_a_copy_of_its_values() -> None:
    values = {CROP: 0.4}
    policy = uniform(values, list(NAMES))
    values[CROP] = 0.2
    assert policy == Policy("global", PROBABILITY, NAMES, (0, 0, 0), ({CROP: 0.4},))
    assert PROBABILITY == 0.8
    assert [policy.of_class(index) for index in range(3)] == [{CROP: 0.4}] * 3


def test_the_usual_policy_is_what_training_recipes_use() -> None:
    assert DEFAULT_AUGMENTATIONS == {CROP: 0.08, JITTER: 0.4, FLIP: 0.5}
    assert SCOPES == ("global", "grouped", "per_class")


def test_options_are_those_of_recommend_by_default() -> None:
    assert PolicyOptions() == PolicyOptions("global", None, None, None, 0.8, True, 0.0)


def test_augmentations_are_named_in_the_order_in_which_they_are_done() -> None:
    registered = registry.names("perturbations")
    used = grouped({ROTATION: 30, CROP: 0.4}, {FLIP: 0.5, JITTER: 0.2}).names
    assert used == tuple(sorted((CROP, JITTER, ROTATION, FLIP), key=list(registered).index))
    assert uniform({}, NAMES).names == ()


@settings(max_examples=10)
@given(st.permutations(KNOWN), st.integers(0, len(KNOWN)))
def test_the_order_of_the_values_does_not_change_the_order_of_the_names(order: list[str], split: int) -> None:
    ladder = {name: augmentation(name).ladder[0] for name in order}
    first, second = ({name: ladder[name] for name in part} for part in (order[:split], order[split:]))
    assert grouped(first, second).names == uniform(dict(sorted(ladder.items())), NAMES).names
    assert set(grouped(first, second).names) == set(KNOWN)


def test_the_json_of_a_policy_for_all_classes_names_every_range() -> None:
    assert uniform({JITTER: 0.4, CROP: 0.2}, NAMES, 0.3).to_dict() == {
        "scope": "global",
        "probability": 0.3,
        "augmentations": [
            {"name": JITTER, "parameter": "strength", "unit": "fraction", "low": 0.0, "high": 0.4},
            # The area of a crop falls with its strength: the strongest value is the lower end.
            {"name": CROP, "parameter": "scale", "unit": "area fraction", "low": 0.2, "high": 1.0},
        ],
    }


def test_the_json_of_a_policy_by_groups_lists_their_classes_in_the_order_of_the_first() -> None:
    crop = {"name": CROP, "parameter": "scale", "unit": "area fraction", "low": 0.4, "high": 1.0}
    policy = grouped({CROP: 0.4}, {}, groups=(1, 0, 1))
    assert policy.to_dict() == {
        "scope": "grouped",
        "probability": 0.5,
        "groups": [{"classes": ["ant", "cow"], "augmentations": []}, {"classes": ["bee"], "augmentations": [crop]}],
    }


@settings(max_examples=20)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.data())
def test_the_json_gives_every_class_once_and_its_own_values(groups: list[int], data: st.DataObject) -> None:
    numbered = [sorted(set(groups)).index(group) for group in groups]
    strength = st.sampled_from([{}, {JITTER: 0.1}, {JITTER: 0.8}, {JITTER: 0.2, ROTATION: 10}])
    values = tuple(data.draw(strength) for _ in range(max(numbered) + 1))
    names = tuple(f"class {index}" for index in range(len(groups)))
    policy = Policy("per_class", 0.8, names, tuple(numbered), values)
    listed = [
        (name, {entry["name"]: entry["high"] for entry in group["augmentations"]})
        for group in policy.to_dict()["groups"]
        for name in group["classes"]
    ]
    assert sorted(listed, key=lambda pair: names.index(pair[0])) == [
        (name, dict(policy.of_class(index))) for index, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("values", "groups", "left_out"),
    [
        (({}, {CROP: 0.4}), (0, 1, 1), NAMES[:1]),
        (({}, {CROP: 0.4}, {CROP: 0.5}), (0, 1, 2), ()),
        (({CROP: 0.4},), (0, 0, 0), ()),
        (({},), (0, 0, 0), ()),
    ],
)
def test_classes_are_left_out_where_all_others_get_the_same(
    values: tuple[Mapping[str, float], ...], groups: tuple[int, ...], left_out: tuple[str, ...]
) -> None:
    assert grouped(*values, groups=groups).left_out == left_out


@pytest.mark.parametrize(
    "weights",
    [(1.0, 1.0), (1.5, 1.5, 0.0), (4.0, -0.5, -0.5), (1.1, 1.0, 1.0), (0.9, 1.0, 1.0), (1.0, float("nan"), 1.0)],
)
def test_class_weights_are_one_positive_number_a_class_with_mean_one(weights: tuple[float, ...]) -> None:
    with pytest.raises(SettingsError, match="Expected the class weights to be 3 numbers above 0 with mean 1"):
        replace(uniform({}, NAMES), class_weights=weights)


def test_rounded_class_weights_are_kept() -> None:
    for weights in ((0.985, 1.0, 1.0), (1.015, 1.0, 1.0), (0.5, 0.5, 2.0)):
        assert replace(uniform({}, NAMES), class_weights=weights).class_weights == weights


def test_class_weights_are_part_of_what_a_policy_does_unless_all_are_alike() -> None:
    for policy in (uniform({CROP: 0.4}, NAMES), uniform({}, NAMES), grouped({CROP: 0.4}, {})):
        assert replace(policy, class_weights=(1.0, 1.0, 1.0)).content == policy.content
        assert replace(policy, class_weights=(0.5, 1.0, 1.5)).content != policy.content
    both = (replace(uniform({}, NAMES), class_weights=weights) for weights in ((0.5, 1.0, 1.5), (1.5, 1.0, 0.5)))
    assert len({str(policy.content) for policy in both}) == 2


def test_spared_classes_get_nothing_and_the_others_get_the_same() -> None:
    policy = sparing({CROP: 0.4, JITTER: 0.2}, NAMES, ["bee"], 0.6)
    assert [dict(policy.of_class(index)) for index in range(3)] == [
        {CROP: 0.4, JITTER: 0.2},
        {},
        {CROP: 0.4, JITTER: 0.2},
    ]
    assert (policy.scope, policy.probability, policy.class_names) == ("per_class", 0.6, NAMES)
    assert sparing({CROP: 0.4}, NAMES, []) == uniform({CROP: 0.4}, NAMES)
    assert sparing({CROP: 0.4}, NAMES, NAMES) == uniform({}, NAMES)
    with pytest.raises(SettingsError, match="Did you mean 'bee'"):
        sparing({CROP: 0.4}, NAMES, ["bea"])


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2), min_size=3, max_size=3), st.booleans(), st.sampled_from(SCOPES))
def test_a_policy_is_rebuilt_from_its_json(groups: list[int], weighted: bool, scope: Any) -> None:
    values = ({CROP: 0.4, ROTATION: 30.0}, {}, {JITTER: 0.2, FLIP: 0.5})
    by_class = uniform(values[groups[0]], NAMES, 0.3)
    if scope != "global":
        by_class = Policy(scope, 0.3, NAMES, tuple(groups), values)
    policy = replace(by_class, class_weights=(0.5, 1.25, 1.25) if weighted else ())
    rebuilt = Policy.from_dict(json.loads(json.dumps(policy.to_dict())), NAMES)
    assert rebuilt.content == policy.content
    assert rebuilt.to_dict() == policy.to_dict()
    assert [rebuilt.of_class(index) for index in range(3)] == [policy.of_class(index) for index in range(3)]


@pytest.mark.parametrize("name", KNOWN)
def test_every_value_is_rebuilt_from_its_range(name: str) -> None:
    known = augmentation(name)
    for value in (*known.limits, known.identity, *known.ladder):
        policy = uniform({name: value}, NAMES)
        assert Policy.from_dict(policy.to_dict(), NAMES) == policy


@pytest.mark.parametrize(
    "listed",
    [
        {},
        {"scope": "global", "probability": 0.8},
        {"scope": "global", "probability": "0.8", "augmentations": []},
        {"scope": "grouped", "probability": 0.8, "augmentations": []},
        {"scope": "grouped", "probability": 0.8, "groups": [{"classes": ["ant"], "augmentations": []}]},
        {"scope": "global", "probability": 0.8, "augmentations": [{"name": CROP}]},
        {"scope": "global", "probability": 0.8, "augmentations": [], "class_weights": {"ant": 1.0}},
        {"scope": "global", "probability": 0.8, "augmentations": [], "class_weights": [1.0, 1.0, 1.0]},
    ],
)
def test_json_that_is_no_policy_of_these_classes_is_refused(listed: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"^Expected the policy to be as Policy.to_dict writes it"):
        Policy.from_dict(listed, NAMES)


@pytest.mark.parametrize("library", ["torchvision", "kornia", "albumentations", "timm", "ultralytics", "json", "yaml"])
def test_a_policy_exports_itself_as_the_public_function_does(library: str) -> None:
    found = uniform({"random_resized_crop": 0.4, "color_jitter": 0.2}, ("a", "b"))
    text = found.export(library, 64)
    known = registry.get("exporters", library)(found, (64, 64))
    assert text == known
    assert text.endswith("\n")


def test_an_export_of_another_library_or_size_is_one_sentence() -> None:
    found = uniform({"color_jitter": 0.2}, ("a", "b"))
    with pytest.raises(SettingsError, match=r"Unknown exporter 'torchvison'\. Did you mean 'torchvision'\?"):
        found.export("torchvison")
    with pytest.raises(SettingsError, match="Expected image_size to be a whole number"):
        found.export("json", 0)


@pytest.mark.parametrize("listed", [None, 3, [], "policy"])
def test_what_is_no_mapping_is_no_policy(listed: object) -> None:
    with pytest.raises(SettingsError, match=r"Expected the policy to be as Policy\.to_dict writes it, but got"):
        Policy.from_dict(listed, NAMES)  # type: ignore[arg-type]
