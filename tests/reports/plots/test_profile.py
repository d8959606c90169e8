"""The charts of a profile, read back from their axes."""

from __future__ import annotations

import pytest

from cuesense.errors import SettingsError
from cuesense.reports.cue_map import cue_map
from cuesense.schemas.profile import Profile, RivalModel
from cuesense.stats.intervals import wilson
from cuesense.types import Cue, Role
from tests.helpers.graded_profiles import graded
from tests.helpers.partly_seen import ACCURACIES, partly_seen
from tests.helpers.profiles import profile

matplotlib = pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'cuesense[plot]'")


@pytest.fixture(autouse=True)
def no_windows(monkeypatch: pytest.MonkeyPatch):
    from matplotlib import pyplot

    monkeypatch.setattr(pyplot, "show", lambda *_, **__: pytest.fail("no chart opens a window"))
    with matplotlib.rc_context({"backend": "agg"}):
        yield
        pyplot.close("all")


def drawn(axes) -> None:
    """Render the axes, which is when matplotlib reads every text."""
    axes.figure.canvas.draw()


def dots(axes) -> set[tuple[float, float]]:
    return {(round(x, 9), round(y, 9)) for part in axes.collections for x, y in part.get_offsets()}


def test_the_cue_map_has_every_class_where_the_page_has_it() -> None:
    # Older profiles, of which this is one, have wide intervals: some places are uncertain.
    source = profile(30, seed=1)
    axes = source.plot.cue_map()
    found = cue_map(source)
    spots = [spot for spot in (*found.spots, found.mean) if spot is not None]
    places = {(round(x, 9), round(y, 9)) for x, y in map(found.point, spots)}
    assert dots(axes) == places
    hollow = [part for part in axes.collections if not len(part.get_facecolors())]
    uncertain = [spot for spot in found.spots if spot is not None and not spot.sure]
    assert sum(len(part.get_offsets()) for part in hollow) == len(uncertain) > 0
    assert {found.corner(cue) for cue in Cue} <= {text.get_text() for text in axes.texts}
    drawn(axes)


def test_few_classes_are_named_and_many_are_not() -> None:
    names = lambda source: {text.get_text() for text in source.plot.cue_map().texts}  # noqa: E731
    assert "zebra" in names(graded(12))
    assert names(graded(21)) == {cue_map(graded(21)).corner(cue) for cue in Cue}


def test_a_curve_is_the_accuracy_at_every_severity_with_its_interval() -> None:
    source = profile(6, seed=3)
    axes = source.plot.curves("zebra", ["color_jitter"])
    (curve,) = [curve for curve in source.curves if curve.perturbation == "color_jitter"]
    right = [curve.clean_correct[4]]
    right += [
        curve.clean_correct[4] + (gained[4] - lost[4]) / curve.repeats
        for lost, gained in zip(curve.lost, curve.gained, strict=True)
    ]
    (line,) = axes.lines
    assert line.get_ydata() == pytest.approx([count / curve.n[4] for count in right])
    assert list(line.get_xdata()) == list(range(5))
    band = axes.collections[0].get_paths()[0].vertices
    low, high = wilson(right[2], curve.n[4], source.policy.confidence)
    assert {round(y, 6) for x, y in band if x == 2} == {round(float(low), 6), round(float(high), 6)}
    assert axes.get_title() == "zebra"
    assert axes.get_legend().texts[0].get_text() == "color jitter (0.1, 0.2, 0.4, 0.8)"


def test_all_augmentations_are_drawn_where_none_is_named() -> None:
    source = profile(6)
    axes = source.plot.curves(0)
    assert len(axes.lines) == sum(curve.role is Role.AUGMENTATION for curve in source.curves)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("zebr",), "Unknown class 'zebr'. Did you mean 'zebra'"),
        (("zebra", ["colour_jitter"]), "Unknown perturbation 'colour_jitter'. Did you mean 'color_jitter'"),
        (("lemon",), "Expected the class 'lemon' to be one with images, but got none. Choose another class"),
    ],
)
def test_what_is_not_there_is_one_sentence(arguments: tuple, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        profile(6, empty=1).plot.curves(*arguments)
    assert str(caught.value).startswith(sentence)


def with_rivals(shares: list[float]) -> Profile:
    source = profile(len(shares))
    rivals = [
        [
            RivalModel(rival="lemon", perturbation="color_jitter", share=share),
            RivalModel(rival="tench", perturbation="grayscale", share=0.99),
        ]
        for share in shares
    ]
    classes = [entry.model_copy(update={"rivals": found}) for entry, found in zip(source.classes, rivals, strict=True)]
    return source.model_copy(update={"classes": classes})


def test_confusions_are_those_of_augmentations_the_largest_on_top() -> None:
    axes = with_rivals([0.1, 0.5, 0.3]).plot.confusions(most=2)
    assert [bar.get_width() for bar in axes.patches] == [0.3, 0.5]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["goldfish → lemon (color jitter)", "barn spider → lemon (color jitter)"]
    drawn(axes)


def test_no_confusions_are_said_in_words() -> None:
    source = profile(2)
    classes = [entry.model_copy(update={"rivals": []}) for entry in source.classes]
    axes = source.model_copy(update={"classes": classes}).plot.confusions()
    assert [text.get_text() for text in axes.texts] == ["no class takes a notable share"]


def test_the_parts_of_a_budget_bar_add_up_to_all_classes() -> None:
    source = profile(40)
    axes = source.plot.budgets()
    names = [label.get_text().replace(" ", "_") for label in axes.get_yticklabels()]
    for row, name in enumerate(names):
        widths = [bar.get_width() for bar in axes.patches if round(bar.get_y() + bar.get_height() / 2) == row]
        assert sum(widths) == 40
        unlimited = sum(entry.budgets[name].status == "unlimited" for entry in source.classes)
        assert not unlimited or widths[0] == unlimited
    drawn(axes)


@pytest.mark.parametrize(
    "source", [profile(1, empty=1), profile(2, empty=2), profile(3, names=("$\\frac$", "<b>", "\x1b[0m"))]
)
def test_profiles_of_nothing_and_of_hostile_names_are_drawn(source: Profile) -> None:
    for axes in (source.plot.cue_map(), source.plot.confusions(), source.plot.budgets()):
        drawn(axes)


def test_axes_that_are_given_are_used() -> None:
    from matplotlib import pyplot

    _, given = pyplot.subplots(2, 2)
    source = graded(4)
    assert source.plot.cue_map(ax=given[0, 0]) is given[0, 0]
    assert source.plot.curves(0, ax=given[0, 1]) is given[0, 1]
    assert source.plot.confusions(ax=given[1, 0]) is given[1, 0]
    assert source.plot.budgets(ax=given[1, 1]) is given[1, 1]
    assert len(pyplot.get_fignums()) == 1
    assert "cue_map()" in repr(source.plot)


def test_names_on_the_map_cover_neither_each_other_nor_the_corners() -> None:
    names = ("English Springer Spaniel", "Great Pyrenees dog", "church", "chain saw", "French horn")
    axes = graded(20, seed=1, names=names).plot.cue_map()
    drawn(axes)
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(first.overlaps(second) for at, first in enumerate(boxes) for second in boxes[:at])
    assert len(boxes) > 6


def test_the_legend_of_budgets_has_words() -> None:
    labels = [text.get_text() for text in profile(40).plot.budgets().get_legend().texts]
    assert set(labels) <= {"any", "up to a value", "none", "undetermined"}
    assert "undetermined" in labels


def test_what_is_no_axes_is_one_sentence_and_one_name_is_a_name() -> None:
    source = graded(6)
    with pytest.raises(SettingsError, match="Expected ax to be axes of matplotlib, but got an object of type int"):
        source.plot.budgets(ax=5)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="Expected most to be a whole number from 1, but got"):
        source.plot.confusions(source.plot.budgets())  # type: ignore[arg-type]
    one = source.plot.curves(0, "color_jitter")
    assert len(one.lines) == len(source.plot.curves(0, ["color_jitter"]).lines) == 1


def test_a_curve_of_a_part_of_the_images_has_the_intervals_of_the_part() -> None:
    axes = partly_seen().plot.curves(0, "color_jitter")
    (line,) = axes.lines
    assert line.get_ydata() == pytest.approx(ACCURACIES[0])
    band = axes.collections[0].get_paths()[0].vertices
    low, high = wilson(7, 20, 0.95)
    assert {round(y, 6) for x, y in band if x == 4} == {round(float(low), 6), round(float(high), 6)}
