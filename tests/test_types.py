"""The draws: counter-based, uniform, and a function of nothing but their key."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cuesense.draws import Draws
from cuesense.registry import get
from cuesense.types import Condition, LazyFunction

GOLDEN = (0.4916403889656067, 0.2807350158691406, 0.1417539119720459)


def draw(names: list[str], **changes: object) -> Draws:
    return Draws.of(names, **({"perturbation": "blur", "value": 0.5, "seed": 0} | changes))  # type: ignore[arg-type]


def splitmix64(key: int, index: int) -> float:
    """SplitMix64 in plain integers."""
    mask = 2**64 - 1
    mixed = (key + (index + 1) * 0x9E3779B97F4A7C15) & mask
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & mask
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & mask
    return ((mixed ^ (mixed >> 31)) >> 40) / 2**24


def test_draws_are_splitmix64() -> None:
    draws = draw(["a", "b"])
    expected = [[splitmix64(int(key), index) for index in range(5)] for key in draws.keys]
    assert draws.uniform(5).tolist() == expected


def test_the_generator_is_the_published_one() -> None:
    """First outputs of SplitMix64 for the seed 1234567, as given by its reference implementation."""
    published = [6457827717110365317, 3203168211198807973]
    numbers = Draws(np.array([1234567], dtype=np.uint64)).uniform(2)[0]
    assert numbers.tolist() == [(value >> 40) / 2**24 for value in published]


def test_these_very_numbers_stay_forever() -> None:
    """A change here would change every published profile."""
    numbers = draw(["images/0001.jpg"], perturbation="patch_shuffle", value=4.0, seed=7).uniform(3)
    np.testing.assert_allclose(numbers, [GOLDEN], atol=0)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=6, unique=True), st.integers(0, 20))
def test_an_image_s_draws_ignore_its_neighbors(names: list[str], start: int) -> None:
    together = draw(names).uniform(4, start=start)
    for name, row in zip(names, together, strict=True):
        assert draw([name]).uniform(4, start=start)[0].tolist() == row.tolist()


def test_any_part_of_the_condition_changes_the_draws() -> None:
    first = draw(["a"]).uniform(1)[0, 0]
    changes = [{"perturbation": "gray"}, {"value": 0.25}, {"seed": 1}, {"repeat": 1}]
    assert (
        len({first, draw(["b"]).uniform(1)[0, 0], *(draw(["a"], **change).uniform(1)[0, 0] for change in changes)}) == 6
    )


def test_draws_are_uniform_and_uncorrelated() -> None:
    numbers = draw([f"{index}" for index in range(4000)]).uniform(3)
    for column in range(3):
        assert stats.kstest(numbers[:, column], "uniform").pvalue > 0.001
    assert np.abs(np.corrcoef(numbers.T)[np.triu_indices(3, 1)]).max() < 0.05
    assert numbers.min() >= 0
    assert numbers.max() < 1


def test_ranges_continue_each_other() -> None:
    draws = draw(["a"])
    assert draws.uniform(6)[0, 2:].tolist() == draws.uniform(4, start=2)[0].tolist()


def test_slices_keep_their_keys() -> None:
    draws = draw(["a", "b", "c"])
    assert draws[1:].uniform(2).tolist() == draws.uniform(2)[1:].tolist()


def test_lazy_functions_import_when_called() -> None:
    assert LazyFunction("math:sqrt")(4.0) == 2.0


def test_a_condition_derives_its_value_from_its_severity() -> None:
    blur = replace(get("perturbations", "gaussian_blur"), ladder=(0.05, 0.2))
    found = [Condition(blur, severity) for severity in (0, *blur.severities)]
    assert [condition.value for condition in found] == [0.0, 0.05, 0.2]
    assert str(found[2]) == "gaussian_blur at severity 2 (sigma 0.2)"
    assert (Condition().value, Condition().name, str(Condition())) == (0.0, "clean", "clean")
    assert Condition(blur, 1) != Condition(blur, 1, repeat=1)
