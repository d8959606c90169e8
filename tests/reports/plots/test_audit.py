"""The charts of an audit, read back from their axes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.helpers.audits import audit, cues, sweep

matplotlib = pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'cuesense[plot]'")


@pytest.fixture(autouse=True)
def no_windows(monkeypatch: pytest.MonkeyPatch):
    from matplotlib import pyplot

    monkeypatch.setattr(pyplot, "show", lambda *_, **__: pytest.fail("no chart opens a window"))
    with matplotlib.rc_context({"backend": "agg"}):
        yield
        pyplot.close("all")


def test_every_class_has_a_line_and_the_harmed_one_is_named() -> None:
    source = audit()
    axes = source.plot.accuracies()
    lines = [list(line.get_ydata()) for line in axes.lines]
    for entry in source.classes:
        assert entry.accuracy in lines
    assert source.mean_accuracy in lines
    assert [text.get_text() for text in axes.texts] == ["teapot"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "0.5", "0.2", "0.08"]
    axes.figure.canvas.draw()


def test_names_beside_the_lines_do_not_cover_each_other() -> None:
    from matplotlib.text import Text

    # Eight classes that end within a few points.
    axes = audit(sweep(40, planted=dict.fromkeys(range(8), 0.3))).plot.accuracies()
    axes.figure.canvas.draw()
    # Of the letters alone, without the line that leads to them.
    boxes = sorted((Text.get_window_extent(text) for text in axes.texts), key=lambda box: box.y0)
    assert len(boxes) == 8
    # Less than a pixel is between the letters of two lines.
    assert all(upper.y0 >= lower.y1 - 1 for lower, upper in pairwise(boxes))
    assert min(box.x0 for box in boxes) > axes.transData.transform((3, 0))[0]


def test_losses_stand_in_order_with_their_bounds() -> None:
    source = audit()
    axes = source.plot.losses(most=3)
    worst = sorted((entry for entry in source.classes if entry.loss is not None), key=lambda entry: -entry.loss)[:3]
    assert [bar.get_width() for bar in axes.patches] == [entry.loss for entry in worst[::-1]]
    assert [label.get_text() for label in axes.get_yticklabels()] == [entry.name for entry in worst[::-1]]
    assert [worst[0].low, worst[0].high] in [list(line.get_xdata()) for line in axes.lines]
    assert list(axes.lines[-1].get_xdata()) == [source.tolerance] * 2


def test_cues_have_their_mean_loss_and_without_a_profile_it_is_said() -> None:
    source = audit(cues=cues())
    axes = source.plot.cues()
    losses = [list(line.get_xdata()) for line in axes.lines]
    for part in source.cues:
        assert [part.loss] in losses
    assert "audit with profile=..." in audit().plot.cues().texts[0].get_text()


def test_classes_without_images_and_given_axes() -> None:
    from matplotlib import pyplot

    _, given = pyplot.subplots(1, 3)
    plot = audit(sweep(4, empty=[3], names=("$a$", "b", "c", "d"))).plot
    assert plot.accuracies(ax=given[0]) is given[0]
    assert plot.losses(ax=given[1]) is given[1]
    assert plot.cues(ax=given[2]) is given[2]
    given[0].figure.canvas.draw()
    assert "losses()" in repr(plot)
