"""The classes of a world: how many of each kind, which cues each is given, and that none is given twice."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.planted.classes import COUNTS, MOST_OF_A_CUE, build_classes, cue_counts, family, generator
from cuesense.planted.textures import PATTERNS, periods
from cuesense.types import Cue, CueVerdict

NOTHING = dict.fromkeys(COUNTS, 0)
PAIRS = [(Cue.COLOR, Cue.SHAPE), (Cue.COLOR, Cue.TEXTURE), (Cue.SHAPE, Cue.TEXTURE)]
counts_of_kinds = st.fixed_dictionaries(
    {kind: st.integers(0, 2) for kind in ("color", "shape", "texture", "redundant", "context")}
    | {"mixed": st.sampled_from((0, 4, 8)), "null": st.sampled_from((0, 2, 4))}
)


def values(members, *fields):
    return {getattr(member.cues, field) for member in members for field in fields} - {None}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 50), counts_of_kinds)
def test_a_world_uses_as_many_values_of_each_cue_as_are_counted(seed, counts):
    members = build_classes(seed, 64, counts)
    assert len(members) == sum(counts.values())
    assert cue_counts(seed, counts) == {
        Cue.COLOR: len(values(members, "hue", "ground_hue")),
        Cue.SHAPE: len(values(members, "outline")),
        Cue.TEXTURE: len(values(members, "texture", "ground_texture")),
    }


def test_classes_come_kind_by_kind_numbered_from_zero():
    names = [member.name for member in build_classes(0, 64, COUNTS)]
    assert names == [f"{kind}-{number}" for kind, count in COUNTS.items() for number in range(count)]
    reordered = dict(reversed(COUNTS.items()))
    assert build_classes(0, 64, reordered) == build_classes(0, 64, COUNTS)


@pytest.mark.parametrize("seed", range(3))
def test_redundant_classes_take_the_pairs_and_all_three_in_turn(seed):
    members = build_classes(seed, 64, NOTHING | {"redundant": 5})
    assert [member.carriers for member in members] == [*PAIRS, tuple(PAIRS[0] + (Cue.TEXTURE,)), PAIRS[0]]
    assert {member.truth for member in members} == {CueVerdict.REDUNDANT}


@pytest.mark.parametrize("seed", range(3))
def test_mixed_classes_are_every_combination_of_two_values_of_two_cues(seed):
    members = build_classes(seed, 64, NOTHING | {"mixed": 8})
    for number, four in enumerate((members[:4], members[4:])):
        assert {member.carriers for member in four} == {PAIRS[(seed + number) % 3]}
        fields = [{Cue.COLOR: "hue", Cue.SHAPE: "outline", Cue.TEXTURE: "texture"}[cue] for cue in four[0].carriers]
        combinations = {tuple(getattr(member.cues, field) for field in fields) for member in four}
        assert len(combinations) == 4
        assert [len(set(column)) for column in zip(*combinations, strict=True)] == [2, 2]


def test_context_classes_put_their_cue_on_the_ground_alone():
    members = build_classes(0, 64, NOTHING | {"context": 3})
    assert [member.truth for member in members] == [CueVerdict.COLOR, CueVerdict.TEXTURE, CueVerdict.COLOR]
    assert values(members, "hue", "outline", "texture") == set()
    assert [member.cues.ground_hue is None for member in members] == [False, True, False]
    assert [member.cues.ground_texture is None for member in members] == [True, False, True]


@pytest.mark.parametrize("seed", range(3))
def test_null_classes_are_pairs_with_one_and_the_same_cue(seed):
    members = build_classes(seed, 64, NOTHING | {"null": 4})
    (one, same), (two, also) = members[:2], members[2:]
    assert one.cues == same.cues != two.cues == also.cues
    cues = tuple(Cue)
    assert len(one.carriers) == 1
    assert {one.carriers[0], two.carriers[0]} < set(cues)
    assert {member.truth for member in members} == {CueVerdict.UNDETERMINED}


@pytest.mark.parametrize("colors", [1, 2, MOST_OF_A_CUE])
def test_hues_are_equally_far_apart_and_differ_between_worlds(colors):
    hues = [sorted(values(build_classes(seed, 64, NOTHING | {"color": colors}), "hue")) for seed in (0, 1)]
    for found in hues:
        assert len(found) == colors
        assert 0 <= found[0] <= found[-1] < 1
        assert all(after - before == pytest.approx(1 / colors) for before, after in pairwise(found))
    assert hues[0] != hues[1]


@pytest.mark.parametrize("size", [32, 64, 224])
@pytest.mark.parametrize("seed", [0, 1])
def test_all_textures_are_the_patterns_of_the_family_at_about_three_periods(seed, size):
    found = values(build_classes(seed, size, NOTHING | {"texture": MOST_OF_A_CUE}), "texture")
    assert len(found) == MOST_OF_A_CUE
    for pattern in PATTERNS[family(seed)]:
        own = sorted(texture.period for texture in found if texture.pattern == pattern)
        ratios = np.array(own) / periods(size)
        assert 0.95 <= ratios.min() <= ratios.max() <= 1.05
        assert len(set(ratios)) == 3


def test_even_seeds_have_waves_and_odd_ones_corners():
    assert [family(seed) for seed in (0, 1, 2, 2**64 + 1)] == ["waves", "corners", "waves", "corners"]


def test_a_generator_depends_on_its_text_alone():
    assert generator("planted:0/a").random() == generator("planted:0/a").random()
    assert len({generator(f"planted:{seed}/{name}").random() for seed in (0, 1) for name in "ab"}) == 4
