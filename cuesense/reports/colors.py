"""The color of every cue where no style sheet can set it: in charts of matplotlib and in a notebook."""

from __future__ import annotations

from cuesense.types import CueVerdict

# The light theme's hues of html/page.css: each has a contrast of 3 or more, as graphics need (WCAG 2.2, 1.4.11), on
# white and on the dark gray of a notebook, except undetermined's on white, which stands for no answer.
CUE_COLORS: dict[CueVerdict, str] = {
    CueVerdict.SHAPE: "#1c69b0",
    CueVerdict.TEXTURE: "#0b7a5c",
    CueVerdict.COLOR: "#bb4a05",
    CueVerdict.MIXED: "#7a4fa3",
    CueVerdict.REDUNDANT: "#7d6410",
    CueVerdict.INSENSITIVE: "#5f6772",
    CueVerdict.FINE_DETAIL: "#0e7490",
    CueVerdict.UNDETERMINED: "#a2a8b1",
}
