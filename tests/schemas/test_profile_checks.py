"""A profile whose fields contradict each other is refused with its field; genuine ones are read."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cuesense import CuesenseError, check, compare, export, recommend, registry
from cuesense.errors import SettingsError
from cuesense.reports.html.profile import render
from cuesense.schemas.profile import Counts, Profile, UnpairedCounts
from cuesense.stats.curves import count, count_unpaired
from tests.helpers import profiles
from tests.helpers.contract_documents import real
from tests.helpers.partly_seen import SEEN, jitter_alone, partly_seen


@cache
def genuine() -> str:
    """Return a profile with every block, three classes and the last one without images, as JSON."""
    return real("profile").to_json()


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """Return the profile with another value."""
    content: dict[str, Any] = copy.deepcopy(json.loads(genuine()))
    holder: Any = content
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return content


def refusal(content: object, folder: Path) -> str:
    file = folder / "profile.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        Profile.read(file)
    said = str(caught.value)
    assert said.endswith("Run `cuesense analyze` again with this version of cuesense.")
    return said


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("classes",), [], "no class in 'classes'"),
        (("classes", 1, "index"), 0, "0 in 'classes.1.index', where classes are numbered"),
        (("classes", 1, "name"), "tench", "'tench' twice in 'classes.name'"),
        (
            ("classes", 0, "budgets", "color_jitter", "expected_low"),
            [0.1],
            "0 values in 'classes.0.budgets.color_jitter.expected_high', where there are 1 values in 'classes.0.",
        ),
        (("classes", 0, "images"), -1, "-1 in 'classes.0.images'"),
        (("classes", 0, "clean_accuracy"), 1.5, "1.5 in 'classes.0.clean_accuracy'"),
        (
            ("classes", 0, "reliance", "shape", "low"),
            7,
            "a lower bound above the upper one in 'classes.0.reliance.shape'",
        ),
        (("classes", 0, "budgets", "hue"), None, "classes.0.budgets.hue"),
        (("curves", 0, "values"), [], "no value in 'curves.0.values'"),
        (("curves", 0, "pixels"), [1.0], "1 values in 'curves.0.pixels', where there are 4 values"),
        (("curves", 0, "n"), [50, 50], "2 values in 'curves.0.n', where there are 3 classes"),
        (("curves", 0, "clean_correct"), [1, 1, 0, 0], "4 values in 'curves.0.clean_correct'"),
        (("curves", 0, "lost"), [[0, 0, 0]], "1 values in 'curves.0.lost', where there are 4 severities"),
        (("curves", 0, "lost", 1), [0], "1 values in 'curves.0.lost.1', where there are 3 classes"),
        (("curves", 0, "gained", 2), [], "0 values in 'curves.0.gained.2'"),
        (("curves", 0, "corrected", "lost", 0), [1], "'curves.0.corrected.lost.0'"),
        (("curves", 0, "corrected", "clean_correct"), [1], "'curves.0.corrected.clean_correct'"),
        (("curves", 0, "unpaired"), {"n": [[1, 1, 1]], "correct": []}, "'curves.0.unpaired.n'"),
        (("curves", 0, "repeats"), 0, "0 in 'curves.0.repeats'"),
        (("curves", 0, "n", 2), -1, "-1 in 'curves.0.n', which goes from 0 to 1000000000"),
        (("curves", 0, "n", 0), 10**10, "10000000000 in 'curves.0.n'"),
        (("curves", 0, "clean_correct", 0), 51, "51 in 'curves.0.clean_correct', which goes from 0 to 50"),
        (("curves", 0, "lost", 0, 0), 10**6, "1000000 in 'curves.0.lost.0'"),
        (("curves", 0, "gained", 3, 1), -1, "-1 in 'curves.0.gained.3'"),
        (("policy", "tolerance"), 0, "0 in 'policy.tolerance'"),
        (("policy", "confidence"), 1.0, "1 in 'policy.confidence'"),
        (("policy", "confidence"), 0.5, "0.5 in 'policy.confidence'"),
        (("policy", "per_class", "yeti"), {}, "the unknown class 'yeti' in 'policy.per_class'"),
        (("policy", "per_class", "tench"), {"fog": 1}, "the unknown augmentation 'fog' in 'policy.per_class.tench'"),
        (("forecast", "probability"), 0, "0 in 'forecast.probability'"),
        (("forecast", "accuracy"), [1.0], "1 values in 'forecast.accuracy'"),
        (("forecast", "augmentations", "hue", "loss"), [[0, 0, 0]], "'forecast.augmentations.hue.loss'"),
        (("forecast", "augmentations", "hue", "spread", 0, 0), -1, "'forecast.augmentations.hue.spread'"),
        (("forecast", "augmentations", "hue", "leaks", 0, "of"), "yeti", "the unknown class 'yeti'"),
        (("forecast", "budgets", "yeti"), {}, "the unknown class 'yeti' in 'forecast.budgets'"),
        (("verified", "seeds"), 0, "0 in 'verified.seeds'"),
        (("verified", "policies", "none", "mean"), 2, "2 in 'verified.policies.none'"),
        (("verified", "policies", "none", "gain"), [0.1], "1 values in 'verified.policies.none.gain'"),
        (("verified", "policies", "none", "gain"), [0.1, -1.5, None], "-1.5 in 'verified.policies.none.gain'"),
        (("verified", "policies", "none", "gain_margin"), [-1, 0, 0], "-1 in 'verified.policies.none.gain_margin'"),
        (("verified", "policies", "none", "lowest_gain"), -1.5, "-1.5 in 'verified.policies.none.lowest_gain'"),
        (
            ("verified", "policies", "none", "policy"),
            {"class_weights": [1.0]},
            "'verified.policies.none.policy.class_weights'",
        ),
        (("verified", "policies", "none", "policy"), {"groups": [{}]}, "'verified.policies.none.policy.groups'"),
        (("provenance", "model", "preprocessing"), {"image_size": 224}, "preprocessing.image_size'"),
        (("summary", "labels", "shape"), -1, "-1 in 'summary.labels'"),
        (("summary", "clean_accuracy"), 3, "3 in 'summary'"),
        (("curves", 0, "values", 0), 1e16, "a number beyond 1e+15 in 'curves.0.values.0'"),
        (("provenance", "config"), {"x": float("nan")}, "nan in 'provenance.config.x'"),
    ],
)
def test_what_cannot_be_is_named(path: tuple[str | int, ...], value: object, said: str, tmp_path: Path) -> None:
    assert said in refusal(changed(path, value), tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("seen", [[80, 80]], "1 values in 'curves.0.seen', where there are 4 severities"),
        ("seen", [[80, 80], [80], [40, 20], [20, 10]], "1 values in 'curves.0.seen.1', where there are 2 classes"),
        ("seen", [[80, 81], *SEEN[1:]], "81 in 'curves.0.seen.0', which goes from 0 to 80"),
        ("seen", [[80, -1], *SEEN[1:]], "-1 in 'curves.0.seen.0', which goes from 0 to 80"),
        # Two repeats of 20 images are 40 image-repeats, and what is lost is not gained.
        ("lost", [[0, 0]] * 3 + [[41, 0]], "41 in 'curves.0.lost.3', which goes from 0 to 40"),
        ("gained", [[0, 0]] * 3 + [[25, 0]], "25 in 'curves.0.gained.3', which goes from 0 to 24"),
        ("squared", [[0, 0]] * 3 + [[33, 0]], "33 in 'curves.0.squared.3', which goes from 0 to 32"),
    ],
)
def test_counts_of_a_part_of_the_images_are_of_that_part(name: str, value: object, said: str) -> None:
    known = jitter_alone()
    assert not list(partly_seen().problems())
    curve = known.curves[0].model_copy(update={name: value})
    assert next(iter(known.model_copy(update={"curves": [curve]}).problems())) == said


@pytest.mark.parametrize("classes", [1, 2, 1000])
@pytest.mark.parametrize("empty", [0, 1])
def test_genuine_profiles_are_read(classes: int, empty: int, tmp_path: Path) -> None:
    known = profiles.profile(classes, empty=empty if classes > 1 else 0, seed=classes)
    file = tmp_path / "profile.json"
    file.write_text(known.to_json(), encoding="utf-8")
    assert Profile.read(file) == known


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), repeats=st.integers(1, 3), classes=st.integers(1, 4))
def test_whatever_is_counted_is_possible(seed: int, repeats: int, classes: int) -> None:
    """Counts of random predictions, of the same images and of others, are never called impossible."""
    random = np.random.default_rng(seed)
    perturbation = registry.get("perturbations", "grayscale")
    severities = len(perturbation.ladder)
    labels = random.integers(0, classes, 12)
    clean = random.random(12) < 0.6
    found = count(perturbation, clean, random.random((repeats, severities, 12)) < 0.5, labels, classes)
    others = [
        [(random.integers(0, classes, 9), random.random(9) < 0.5) for _ in range(severities)] for _ in range(repeats)
    ]
    apart = count_unpaired(perturbation, (labels, clean), others, classes)
    base = profiles.profile(classes).curves[0]
    for curve in (found, apart):
        parts = {name: getattr(curve, name).tolist() for name in ("clean_correct", "lost", "gained")}
        unpaired = curve.unpaired and UnpairedCounts(
            n=curve.unpaired.n.tolist(), correct=curve.unpaired.correct.tolist()
        )
        model = base.model_copy(
            update={
                **parts,
                "n": curve.n.tolist(),
                "repeats": repeats,
                "values": list(perturbation.ladder),
                "pixels": None,
                "corrected": Counts(**parts),
                "unpaired": unpaired,
            }
        )
        known = profiles.profile(classes)
        assert not list(known.model_copy(update={"curves": [model, *known.curves]}).problems())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_read_can_be_used(data: st.DataObject, tmp_path: Path) -> None:
    """A profile with one wrong number or list anywhere is refused, or everything can be done with it."""
    content: dict[str, Any] = json.loads(genuine())
    content["curves"] = [content["curves"][0], content["curves"][7]]
    content["forecast"] = None
    holder: Any = content
    key = next(iter(content))
    while True:
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        key = data.draw(st.sampled_from(list(keys)))
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.integers(0, 9)) == 0:
            break
        holder = inner
    holder[key] = data.draw(st.sampled_from([0, -1, 1, 0.5, 1e9, 1e300, [], {}, None, "", "x", [[1]], [0] * 3]))
    file = tmp_path / "profile.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    # Anything but a CuesenseError fails the test.
    with suppress(CuesenseError):
        known = Profile.read(file)
        render(known)
        compare(known, known)
        check(known, max_drop=0.1, max_worst_class_loss=0.1)
        export(recommend(known, "per_class"), known, "torchvision")
