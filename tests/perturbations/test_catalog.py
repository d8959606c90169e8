"""The table of perturbations: each entry fits its function, its unit, its parts and what its comments state."""

import inspect
from itertools import pairwise

import pytest

from cuesense import registry
from cuesense.perturbations import catalog
from cuesense.types import Cue, LazyFunction, Perturbation, Role

ENTRIES = {entry.name: entry for entry in vars(catalog).values() if isinstance(entry, Perturbation)}
COMBINED = [name for name in ENTRIES if len(ENTRIES[name].suppresses) > 1]


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES.keys())
def test_an_entry_is_registered_and_calls_the_function_of_its_name(entry: Perturbation) -> None:
    assert registry.get("perturbations", entry.name) is entry
    assert isinstance(entry.apply, LazyFunction)
    function = entry.apply.resolve()
    assert function.__name__ == entry.name
    assert list(inspect.signature(function).parameters) == ["images", "value", "draws"]


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES.keys())
def test_the_identity_lies_at_a_limit_and_the_ladder_leads_away_from_it(entry: Perturbation) -> None:
    low, high = entry.limits
    assert entry.identity in (low, high)
    assert entry.identity not in entry.ladder
    steps = [later - earlier for earlier, later in pairwise([entry.identity, *entry.ladder])]
    assert all(step > 0 for step in steps) if entry.identity == low else all(step < 0 for step in steps)
    assert list(entry.severities) == [1, 2, 3, 4, *([5] if entry.whole else [])]


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES.keys())
def test_the_unit_decides_whether_values_are_whole_or_relative(entry: Perturbation) -> None:
    assert entry.whole == (entry.unit == "tiles a side") == (entry.parameter == "grid")
    assert entry.relative == (entry.unit == "fraction of shorter side")
    if entry.whole:
        assert all(value == int(value) for value in (*entry.ladder, *entry.limits))
    if "fraction" in entry.unit or entry.unit == "probability":
        assert 0 <= entry.limits[0] < entry.limits[1] <= (2 if entry.parameter == "strength" else 1)


def test_roles_are_as_many_as_the_documents_say() -> None:
    by_role = {role: {name for name, entry in ENTRIES.items() if entry.role is role} for role in Role}
    assert by_role[Role.CONTROL] == {"tile_jitter", "translation"}
    assert len(by_role[Role.SUPPRESSION]) == 16
    assert len(by_role[Role.AUGMENTATION]) == 12
    assert all(not ENTRIES[name].suppresses for name in by_role[Role.AUGMENTATION] | by_role[Role.CONTROL])


@pytest.mark.parametrize("name", COMBINED)
def test_a_combination_suppresses_what_its_parts_suppress(name: str) -> None:
    parts = [part for part in ENTRIES if part in name and part != name and len(ENTRIES[part].suppresses) == 1]
    assert {cue for part in parts for cue in ENTRIES[part].suppresses} == set(ENTRIES[name].suppresses)
    last = "patch_shuffle" if "patch_shuffle" in name else name.removeprefix("grayscale_")
    assert (ENTRIES[name].ladder, ENTRIES[name].limits) == (ENTRIES[last].ladder, ENTRIES[last].limits)


def test_combinations_are_all_pairs_and_all_three() -> None:
    assert len(COMBINED) == 6
    assert {frozenset(ENTRIES[name].suppresses) for name in COMBINED} == {
        frozenset({Cue.COLOR, Cue.SHAPE}),
        frozenset({Cue.SHAPE, Cue.TEXTURE}),
        frozenset({Cue.COLOR, Cue.TEXTURE}),
        frozenset(Cue),
    }


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("median_blur", [7, 16, 25, 36]),
        ("bilateral_blur", [4, 8, 14, 25]),
        ("gaussian_blur", [1, 2, 4, 8]),
        ("translation", [2, 4, 8, 16]),
        ("tile_jitter", [2, 4, 8, 16]),
    ],
)
def test_relative_values_are_the_stated_pixels_at_224(name: str, pixels: list[int]) -> None:
    assert [round(value * 224) for value in ENTRIES[name].ladder] == pixels


@pytest.mark.parametrize(
    ("name", "value"),
    [("random_resized_crop", 0.08), ("random_erasing", 0.33), ("random_grayscale", 0.2), ("color_jitter", 0.4)],
)
def test_the_usual_strength_of_a_training_is_on_the_ladder(name: str, value: float) -> None:
    assert value in ENTRIES[name].ladder
