from cuesense.reports.confusions import Confusion, confusions, leaks, main_taker
from cuesense.schemas.profile import RivalModel
from cuesense.types import Role
from tests.helpers.pages import CROP, JITTER, full_profile
from tests.helpers.partly_seen import jitter_curve, partly_seen
from tests.helpers.profiles import profile


def test_pairs_of_augmentations_come_once_and_the_largest_share_first():
    found = confusions(full_profile())
    assert found[:2] == [
        Confusion("tench", "school bus", 0.42, CROP, (JITTER,)),
        Confusion("school bus", "tench", 0.31, CROP),
    ]
    assert [pair.share for pair in found] == sorted((pair.share for pair in found), reverse=True)
    assert len({(pair.loser, pair.taker) for pair in found}) == len(found) == 4


def test_other_roles_have_their_own_pairs():
    found = confusions(full_profile(), Role.SUPPRESSION)
    assert {pair.perturbation for pair in found} == {"grayscale"}
    assert confusions(full_profile(), Role.CONTROL) == []


def pair(loser: str, taker: str, share: float) -> Confusion:
    return Confusion(loser, taker, share, CROP)


def test_the_matrix_holds_the_largest_leaks_with_those_of_one_taker_together():
    pairs = [pair("a", "x", 0.9), pair("b", "y", 0.8), pair("c", "x", 0.7), pair("a", "y", 0.2), pair("d", "z", 0.1)]
    found = leaks(pairs, 3)
    # x takes 1.6, y 1.0; d is the fourth that loses.
    assert found.takers == ("x", "y")
    assert found.losers == ("a", "c", "b")
    assert found.cells == ((pairs[0], pairs[3]), (pairs[2], None), (None, pairs[1]))


def test_a_row_whose_takers_are_beyond_the_last_column_is_left_out():
    found = leaks([pair("a", "x", 0.9), pair("b", "y", 0.8)], 1)
    assert (found.losers, found.takers) == (("a",), ("x",))
    found = leaks([pair("a", "x", 0.9), pair("a", "z", 0.85), pair("b", "y", 0.8)], 2)
    assert (found.losers, found.takers) == (("a",), ("x", "z"))


def test_without_pairs_the_matrix_is_empty():
    assert leaks([], 5).cells == ()


def losing(taken: dict[str, float], images: int = 50):
    """Return a class of which others take shares of its images under crops."""
    rivals = [RivalModel(rival=name, perturbation=CROP, share=share) for name, share in taken.items()]
    return profile(2, images=images).classes[0].model_copy(update={"rivals": rivals})


def test_less_than_three_images_make_no_pair():
    known = profile(2)
    entry = losing({"a": 0.06, "b": 0.04})
    found = confusions(
        known.model_copy(update={"classes": [entry, known.classes[1].model_copy(update={"rivals": []})]})
    )
    assert [pair.taker for pair in found] == ["a"]


def taker_of(taken: dict[str, float]) -> str | None:
    (crop,) = (curve for curve in profile(2).curves if curve.perturbation == CROP)
    found = main_taker(losing(taken), crop)
    return found and found.rival


def test_the_main_taker_has_most_images_and_three_of_them():
    assert taker_of({"a": 0.1, "b": 0.12}) == "b"
    assert taker_of({"a": 0.06}) == "a"
    assert taker_of({"a": 0.04}) is None
    assert taker_of({}) is None


def test_three_images_are_of_those_that_were_looked_at():
    """Of 20 images at the strongest value .1 are two, and .15 are three."""
    known = partly_seen()
    for share, enough in ((0.1, False), (0.15, True)):
        entry = known.classes[0].model_copy(
            update={"rivals": [RivalModel(rival="lime", perturbation=JITTER, share=share)]}
        )
        assert (main_taker(entry, jitter_curve(known)) is not None) == enough
        assert (confusions(known.model_copy(update={"classes": [entry]})) != []) == enough
