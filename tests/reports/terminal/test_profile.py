import io

import pytest
from rich.console import Console

from cuesense import registry
from cuesense.reports import profile_text, text
from cuesense.reports.terminal.cells import STYLES
from cuesense.reports.terminal.profile import render
from cuesense.types import Cue, CueVerdict
from tests.helpers import profiles


def printed(profile, width: int, **options) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False, color_system=None)
    console.print(render(profile, **options))
    return console.file.getvalue()


def lines_of(said: str, name: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith(name)]


@pytest.fixture(scope="module")
def profile():
    return profiles.profile(12, empty=1, seed=3)


def test_it_is_registered():
    assert registry.get("reports", "terminal") is render


@pytest.mark.parametrize("width", [60, 80, 120, 160])
def test_it_fits_and_names_every_class(profile, width):
    said = printed(profile, width)
    assert max(len(line.rstrip()) for line in said.splitlines()) <= min(width, 140)
    for entry in profile.classes:
        (line,) = lines_of(said, entry.name[:13])
        assert text.percent(entry.clean_accuracy) in line
    assert f"Clean accuracy {text.percent(profile.summary.clean_accuracy)}" in said
    assert "torchvision:resnet18 on photos/val: 550 images, 12 classes" in said


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (60, ["Class", "Clean", "Relies on"]),
        (80, ["Class", "Images", "Clean", "Relies on", "crop", "jitter"]),
        (120, ["Class", "Images", "Clean", "Relies on", "crop", "jitter", "blur", "erase", "rotate", "flip"]),
    ],
)
def test_wide_terminals_get_more_columns(profile, width, columns):
    (header,) = lines_of(printed(profile, width), "Class")
    assert header.split() == " ".join(columns).split()


def test_a_row_agrees_with_the_profile(profile):
    said = printed(profile, 140)
    for entry in profile.classes:
        (line,) = lines_of(said, entry.name)
        for name, budget in list(entry.budgets.items()):
            assert profile_text.budget_text(budget) in line, name
        if not entry.images:
            assert "no images" in line
        elif entry.cue in (CueVerdict.SHAPE, CueVerdict.TEXTURE, CueVerdict.COLOR):
            part = entry.reliance[Cue(entry.cue.value)]
            assert f"{entry.cue.value} {short(part.value)} [{short(part.low)},{short(part.high)}]" in line
        else:
            values = " ".join(
                f"{text.CUE_LETTERS[CueVerdict(c.value)]}{short(p.value)}" for c, p in entry.reliance.items()
            )
            assert f"{entry.cue.value} {values}" in line


def short(number: float) -> str:
    whole, _, digits = f"{round(number, 2) + 0.0:.2f}".partition(".")
    return {"0": "", "-0": "−"}.get(whole, whole.replace("-", "−")) + "." + digits


def test_unknown_numbers_are_dashes(profile):
    entry = profile.classes[0]
    color = entry.reliance[Cue.COLOR]
    bare = [
        entry.model_copy(update={"name": "no bounds", "cue": CueVerdict.COLOR} | {"reliance": {Cue.COLOR: known}})
        for known in (color.model_copy(update={"value": 0.5, "low": None}), color.model_copy(update={"value": None}))
    ]
    bare.append(entry.model_copy(update={"name": "no budgets", "budgets": {}}))
    said = printed(profile.model_copy(update={"classes": bare}), 100)
    first, second = lines_of(said, "no bounds")
    assert "color .50 " in first
    assert "[" not in first
    assert "color – " in second
    assert lines_of(said, "no budgets")[0].split()[-4:] == ["–"] * 4


def test_many_classes_are_cut_to_the_least_accurate():
    profile = profiles.profile(1000, empty=3, seed=1)
    said = printed(profile, 100, limit=20)
    start = next(at for at, line in enumerate(said.splitlines()) if line.startswith("Class"))
    shown = said.splitlines()[start + 1 : start + 21]
    ordered = sorted(entry.clean_accuracy for entry in profile.classes if entry.clean_accuracy is not None)
    found = [float(line.split("\N{NO-BREAK SPACE}%")[0].split()[-1]) / 100 for line in shown]
    assert found == pytest.approx(ordered[:20])
    words = " ".join(said.split())
    assert "20 of 1,000 classes, lowest clean accuracy first; classes.csv has all 1,000." in words


def test_the_order_of_the_profile_is_kept_where_all_fit(profile):
    said = printed(profile, 80, limit=12)
    places = [said.index(f"\n{entry.name[:13]}") for entry in profile.classes]
    assert places == sorted(places)
    assert "classes.csv" not in said


def test_markup_and_terminal_commands_in_names_stay_inert():
    names = ("[red]tench[/red]", "[/]", "\x1b[31mred\nline", "x" * 300)
    source = profiles.profile(4, names=names)
    said = printed(
        source.model_copy(update={"summary": source.summary.model_copy(update={"warnings": names[:3]})}), 140
    )
    assert "[red]tench[/red]" in said
    assert len(lines_of(said, "[/]")) == 1
    assert "\x1b" not in said
    assert "\ufffd[31mred\ufffdline" in said
    assert "Warning: [red]tench[/red]" in said
    assert "…" in lines_of(said, "xxx")[0]


def test_assumptions_stand_below_the_warnings_and_stay_inert():
    source = profiles.profile(2)
    assumed = source.provenance.model_copy(update={"assumptions": ["[red]a[/red] \x1b[31m", "b"]})
    said = printed(source.model_copy(update={"provenance": assumed}), 140)
    assert said.endswith("Assumed: [red]a[/red] \ufffd[31m\nAssumed: b\n")
    assert said.index("Warning: ") < said.index("Assumed: ")
    assert "Assumed" not in printed(source, 140)


def test_colors_are_used_where_the_terminal_has_them(profile):
    console = Console(width=100, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(render(profile))
    assert "\x1b[1;34mshape" in console.file.getvalue()


@pytest.mark.parametrize("source", [profiles.profile(1), profiles.profile(2, empty=2)])
def test_small_and_empty_profiles(source):
    said = printed(source, 80)
    assert len(lines_of(said, "tench")) == 1
    assert "nan" not in said
    assert "None" not in said


def test_without_budgets_the_caption_does_not_explain_them(profile):
    bare = [entry.model_copy(update={"budgets": {}}) for entry in profile.classes]
    said = printed(profile.model_copy(update={"classes": bare}), 120)
    assert "Budgets" not in said
    assert lines_of(said, "Class")[0].split() == ["Class", "Images", "Clean", "Relies", "on"]


def test_every_verdict_has_a_style_of_its_own():
    assert list(STYLES) == list(CueVerdict)
    assert len(set(STYLES.values())) == len(STYLES)


def test_fine_detail_is_written_in_words_with_all_evidence(profile):
    entry = profile.classes[0].model_copy(update={"cue": CueVerdict.FINE_DETAIL})
    (line,) = lines_of(printed(profile.model_copy(update={"classes": [entry]}), 140), entry.name)
    assert " fine detail S" in line
