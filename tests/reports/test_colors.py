"""The colors of cues: those of the page, and visible on light and dark ground."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from cuesense.reports.colors import CUE_COLORS
from cuesense.reports.text import css_class
from cuesense.types import CueVerdict


@pytest.mark.parametrize("cue", list(CueVerdict))
def test_a_cue_has_the_color_of_the_page_in_its_light_theme(cue: CueVerdict) -> None:
    style = files("cuesense.reports.html").joinpath("page.css").read_text(encoding="utf-8")
    found = re.search(rf"--{css_class(cue)}: (#[0-9a-f]{{6}})", style)
    assert found is not None
    assert CUE_COLORS[cue] == found[1]


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("cue", [cue for cue in CueVerdict if cue is not CueVerdict.UNDETERMINED])
@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])
def test_dots_are_seen_on_white_and_on_dark_gray(cue: CueVerdict, ground: str) -> None:
    first, second = sorted((luminance(CUE_COLORS[cue]), luminance(ground)))
    assert (second + 0.05) / (first + 0.05) >= 3
