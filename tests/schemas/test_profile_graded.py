"""Rankings and orders of a profile's classes, and the graded answer's columns of its table."""

from __future__ import annotations

import numpy as np
import pytest

from cuesense.errors import SettingsError
from cuesense.schemas.base import UNKNOWN, Estimate
from cuesense.schemas.profile import KeptModel, LeanModel, Profile, RankedClass
from cuesense.types import Cue
from tests.helpers import profiles
from tests.helpers.contract_documents import OLD


def lean(value: float | None, **more: object) -> LeanModel:
    bounds = {"low": None, "high": None} if value is None else {"low": value - 0.1, "high": value + 0.1}
    return LeanModel.model_validate({"value": value, **bounds, **more})


def leaning(*leans: dict[Cue, LeanModel]) -> Profile:
    """Return a profile whose classes lean so: tench, barn spider, goldfish and school bus, in this order."""
    known = profiles.profile(len(leans), seed=1)
    classes = [entry.model_copy(update={"lean": own}) for entry, own in zip(known.classes, leans, strict=True)]
    return known.model_copy(update={"classes": classes})


AHEAD = lean(0.3, above=3, of=3, top_fifth=0.9, reliance=Estimate(value=0.5, low=0, high=1))
MIXED = leaning(
    {Cue.SHAPE: lean(0.1), Cue.COLOR: lean(-0.2)},
    {
        Cue.SHAPE: lean(-0.3),
        Cue.COLOR: lean(0.3, above=3, of=3, top_fifth=0.9, reliance=Estimate(value=0.5, low=0, high=1)),
    },
    {Cue.SHAPE: lean(0.2), Cue.COLOR: lean(None)},
    {Cue.SHAPE: lean(0.0), Cue.COLOR: lean(0.05)},
)


@pytest.mark.parametrize("cue", ["color", Cue.COLOR])
def test_a_ranking_starts_with_the_class_that_relies_most_and_ends_with_the_unknown(cue: str) -> None:
    found = MIXED.ranking(cue)
    assert [entry.name for entry in found] == ["barn spider", "school bus", "tench", "goldfish"]
    assert found[0] == RankedClass("barn spider", 0.3, pytest.approx(0.2), pytest.approx(0.4), 0.5, 3, 0.9)  # type: ignore[arg-type]
    assert found[-1] == RankedClass("goldfish", None, None, None, None, 0, None)


def test_equal_classes_stay_in_their_order() -> None:
    alike = leaning({Cue.COLOR: lean(0.0)}, {Cue.COLOR: lean(0.0)}, {})
    assert [entry.name for entry in alike.ranking("color")] == ["tench", "barn spider", "goldfish"]


@pytest.mark.parametrize(
    ("cue", "said"), [("hue", "got 'hue'"), ("texture", "of classes whose lean is known, but got none")]
)
def test_a_ranking_that_cannot_be_is_refused(cue: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        MIXED.ranking(cue)


def test_a_profile_without_graded_answers_still_reads_and_has_no_ranking() -> None:
    old = Profile.model_validate(OLD["profile"])
    (entry,) = old.classes
    assert (entry.kept, entry.lean, entry.leans_to) == ({}, {}, None)
    assert (old.summary.graded.columns, old.summary.graded.lean, old.summary.graded.sharpen) == ({}, {}, [])
    assert (old.summary.graded.pairs.pairs, old.summary.graded.pairs.told_apart) == (0, 0)
    assert old.classes_by_lean == [entry]
    with pytest.raises(SettingsError, match="run `cuesense analyze` or `cuesense score` again"):
        old.ranking("color")


def test_classes_are_grouped_by_the_cue_to_which_each_leans_most() -> None:
    assert [entry.leans_to for entry in MIXED.classes] == [None, Cue.COLOR, Cue.SHAPE, None]
    assert [entry.name for entry in MIXED.classes_by_lean] == ["goldfish", "tench", "barn spider", "school bus"]
    unknown = leaning({}, {Cue.TEXTURE: lean(0.1)}, {Cue.TEXTURE: lean(None)}, {Cue.SHAPE: lean(-0.1)})
    assert [entry.name for entry in unknown.classes_by_lean] == ["school bus", "barn spider", "tench", "goldfish"]


def test_the_table_has_leans_and_shares_kept() -> None:
    kept = {"without_color": KeptModel(value=0.4, low=0.3, high=0.5), "color_alone": KeptModel(**UNKNOWN.model_dump())}
    entry = MIXED.classes[1].model_copy(update={"kept": kept})
    row = MIXED.model_copy(update={"classes": [entry]}).to_frame().iloc[0]
    assert row["leans_to"] == "color"
    assert (row["color_lean"], row["color_lean_top_fifth"], row["shape_lean"]) == (0.3, 0.9, -0.3)
    assert (row["color_lean_low"], row["color_lean_high"]) == pytest.approx((0.2, 0.4))
    assert (row["without_color"], row["without_color_low"], row["without_color_high"]) == (0.4, 0.3, 0.5)
    assert np.isnan(row["color_alone"])
    assert "leans_to" not in profiles.profile(2).to_frame()


def test_a_class_leans_to_a_cue_only_where_that_is_certain() -> None:
    source = leaning({Cue.SHAPE: lean(0.05)}, {Cue.SHAPE: lean(0.2)}, {Cue.SHAPE: lean(None)}, {})
    assert [entry.leans_to for entry in source.classes] == [None, Cue.SHAPE, None, None]
    assert source.to_frame()["leans_to"].dropna().tolist() == ["shape"]
