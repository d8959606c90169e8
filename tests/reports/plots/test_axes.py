"""Axes to draw on, and what is said where matplotlib is missing."""

from __future__ import annotations

import sys

import pytest

from cuesense.errors import SettingsError
from cuesense.reports.plots.axes import axes_or_new, short_name
from tests.helpers.audits import audit
from tests.helpers.profiles import profile

matplotlib = pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'cuesense[plot]'")


def test_given_axes_are_drawn_on_and_others_are_made() -> None:
    from matplotlib import pyplot

    with matplotlib.rc_context({"backend": "agg"}):
        figure, given = pyplot.subplots()
        assert axes_or_new(given) is given
        made = axes_or_new(None, 3, 2)
        assert made.figure is not figure
        assert tuple(made.figure.get_size_inches()) == (3, 2)
        pyplot.close("all")


def test_a_missing_matplotlib_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for source in (profile(2), audit()):
        with pytest.raises(SettingsError, match=r"Install it: pip install 'cuesense\[plot\]'"):
            source.plot  # noqa: B018


def test_names_are_no_formulas_and_no_commands() -> None:
    assert short_name("$x$") == r"\$x\$"
    assert short_name("a\x1bb") == "a\ufffdb"
    assert len(short_name("n" * 100)) == 24
