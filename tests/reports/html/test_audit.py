import json
import re

import numpy as np
import pytest

from cuesense.reports import audit_text, text
from cuesense.reports.audit_view import view
from cuesense.reports.html.audit import render
from cuesense.schemas.audit import Audit
from tests.helpers import audits
from tests.helpers import page_checks as checks
from tests.helpers.html_tree import Node, parse
from tests.helpers.page_checks import HOSTILE

PLANTED = {0: 0.3, 4: 0.12}


@pytest.fixture(scope="module")
def audit() -> Audit:
    similarity = np.full((12, 12), 0.1)
    similarity[0, 2] = similarity[2, 0] = 0.9
    similarity[4, 6] = similarity[6, 4] = 0.0
    return audits.audit(audits.with_pictures(audits.sweep(planted=PLANTED)), cues=audits.cues(), similarity=similarity)


@pytest.fixture(scope="module")
def page(audit) -> Node:
    return parse(render(audit))


def having(page: Node, kind: str) -> list[Node]:
    return [node for node in page if kind in node.classes]


def rows(page: Node) -> list[Node]:
    return page.find("table", id="table")[0].find("tbody")[0].find("tr")


def cells(row: Node) -> list[str]:
    return [cell.text.strip() for cell in row.children if isinstance(cell, Node)]


def sheet(page: Node, name: str) -> list[list[str]]:
    return [cells(row) for row in page.find(id=name)[0].find("tbody")[0].find("tr")]


def chart(page: Node) -> Node:
    (found,) = having(page, "curves")
    return found


def test_planted_classes_are_harmed_and_stand_in_front(page, audit):
    assert [entry.name for entry in view(audit).harmed] == ["teapot", "bus"]
    groups = [child for child in chart(page).children if isinstance(child, Node) and child.tag == "g"]
    kinds = [group.classes[0] for group in groups]
    assert kinds.index("rest") < kinds.index("gains") < kinds.index("harmed")
    (front,) = [group for group in groups if group.classes == ["harmed"]]
    assert [line.text for line in front.find("title")] == ["bus", "teapot"]
    assert [cells(row)[0] for row in rows(page)][:2] == ["teapot", "bus"]
    assert [figure.find("a")[0].text for figure in page.find("figure")] == ["teapot", "bus"]


def test_the_summary_shows_the_best_mean_accuracy_and_who_loses(page, audit):
    assert having(page, "headline")[0].text == audit_text.headline(view(audit))
    assert "2 of 12" in checks.tile(page, "Harmed there").text
    assert text.percent(audit.mean_accuracy[-1]) in checks.tile(page, "Best mean accuracy").text
    assert (
        text.percent(min(entry.accuracy[-1] for entry in audit.classes)) in checks.tile(page, "Worst class there").text
    )
    assert checks.tile(page, "Worst class there").find("a")[0].text == "teapot"
    best = max(audit.worst_class_accuracy)
    assert text.percent(best) in checks.tile(page, "Worst class at its best").text
    assert "undetermined" in checks.tile(page, "Safe strength").text
    assert page.find(role="note")[0].find("li")[0].text == audit.warnings[0]


def test_the_head_says_where_the_runs_come_from_and_the_provenance_says_all():
    source = {"runs": "runs.csv", "models": 20, "dataset": "photos/val", "fingerprint": "9f86"}
    page = parse(render(audits.audit(source=source)))
    facts = {item.find("dt")[0].text: item.find("dd")[0].text for item in page.find("header")[0].find("div")}
    assert facts == {
        "Strengths, mild to strong": "1, 0.5, 0.2, 0.08",
        "Runs": "20",
        "Classes": "12",
        "Table of runs": "runs.csv",
        "Test images": "photos/val",
    }
    settings = checks.provenance(page)
    assert settings.items() >= {name: str(value) for name, value in source.items()}.items()
    assert settings["tolerance"] == "0.05"


def test_every_choice_has_its_numbers(page, audit):
    best, worst, unharmed, safe = sheet(page, "choices")
    at = audit.strengths.index(audit.chosen_by_worst_class)
    assert best[1:4] == ["0.08", mean(audit, 3), "0.0"]
    assert worst[1] == audit_text.strength_text(audit.chosen_by_worst_class)
    assert worst[2:] == [
        mean(audit, at),
        text.points(audit.mean_accuracy[3] - audit.mean_accuracy[at]),
        text.percent(audit.worst_class_accuracy[at]),
        audit.worst_class[at],
    ]
    assert unharmed[1:] == safe[1:] == ["no strength"]


def mean(audit: Audit, index: int) -> str:
    low, high = (text.points(bounds[index]) for bounds in (audit.mean_low, audit.mean_high))
    return f"{text.percent(audit.mean_accuracy[index])} [{low}, {high}]"


def test_every_strength_has_its_row(page, audit):
    found = sheet(page, "strengths")
    assert [row[0] for row in found] == ["1", "0.5", "0.2", "0.08"]
    for index, row in enumerate(found):
        harmed = sum(audit.strengths[index] in entry.harmed_at for entry in audit.classes)
        assert row[1:3] == ["5", mean(audit, index)]
        assert row[4:] == [audit.worst_class[index], str(harmed), audit.safety[index]]


def test_every_class_has_a_row_that_agrees_with_the_audit(page, audit):
    assert len(rows(page)) == 12
    for row in rows(page):
        entry = audit.classes[int(row.attributes["id"].removeprefix("class-"))]
        name, images, _, verdict, loss, best, gain, cue = cells(row)
        assert (name, images) == (entry.name, "400")
        assert ("harmed" in verdict, "gains" in verdict) == (entry.harmed, entry.gains)
        assert loss == audit_text.loss_text(entry.loss, entry.low, entry.high)
        assert best == f"{entry.best_strength:g}"
        assert gain == text.points(entry.gain)
        assert cue.endswith(entry.cue.value)
        values = [cell.attributes.get("data-value") for cell in row.find("td")]
        assert float(values[3]) == entry.loss
        assert float(values[4]) == audit.strengths.index(entry.best_strength)
        assert set(row.attributes["data-kind"].split()) == {
            kind for kind, shown in (("harmed", entry.harmed), ("gains", entry.gains)) if shown
        }


def test_harmed_classes_come_before_larger_losses_that_are_not_shown(audit):
    noisy = audit.classes[1].model_copy(update={"loss": 0.9, "gains": False})
    page = parse(render(audit.model_copy(update={"classes": [audit.classes[0], noisy, *audit.classes[2:]]})))
    assert [cells(row)[0] for row in rows(page)][:3] == ["teapot", "bus", "zebra"]


def test_losses_at_the_strongest_have_a_column_where_it_is_not_the_chosen_one(page):
    known = audits.audit(audits.sweep(planted=dict.fromkeys(range(8), 0.5)), cues=audits.cues())
    assert known.chosen_by_mean != known.strengths[-1]
    other = parse(render(known))
    for row in rows(other):
        entry = known.classes[int(row.attributes["id"].removeprefix("class-"))]
        assert cells(row)[5] == text.points(entry.loss_at_strongest)
    parts = [cells(row) for row in other.find("section", id="cues")[0].find("tbody")[0].find("tr")]
    for row, part in zip(parts, known.cues, strict=True):
        assert row[4] == audit_text.loss_text(part.loss_at_strongest, part.strongest_low, part.strongest_high)
    headings = [cell.text for cell in page.find("table", id="table")[0].find("th", scope="col")]
    assert "Loss at 0.08" not in headings


def test_a_harmed_class_shows_its_loss_its_best_strength_and_its_rivals(page, audit):
    teapot = page.find("figure")[0]
    entry = audit.classes[0]
    assert f"loses {text.points(entry.loss)} points" in teapot.text
    assert f"[{text.points(entry.low)}, {text.points(entry.high)}]" in teapot.text
    assert "Best at 1." in teapot.text
    assert f"Confused with cup {text.percent(entry.rivals[0].share)} (fine-grained)." in teapot.text
    assert "(unrelated)" in page.find("figure")[1].text
    (best,), (now,) = having(teapot, "best"), having(teapot, "now")
    assert float(best.attributes["cx"]) < float(now.attributes["cx"])
    assert float(best.attributes["cy"]) < float(now.attributes["cy"])


def test_panels_share_the_height_of_their_scale(page):
    spans = []
    for figure in page.find("figure"):
        ticks = [float(node.text) for node in figure.find("text", text_anchor="end")]
        spans.append(max(ticks) - min(ticks))
    assert spans == [40, 40]
    assert "40 points of the scale" in page.find("section", id="harmed")[0].text


def test_losses_where_other_labels_are_accepted_are_shown():
    known = audits.audit(audits.with_pictures(audits.sweep(planted=PLANTED), accepted=True))
    page = parse(render(known))
    said = text.points(known.classes[0].loss_accepted)
    assert known.classes[0].loss_accepted < known.classes[0].loss
    assert f"Loss where every accepted label counts as right: {said}." in page.find("figure")[0].text
    assert "(co-occurring)" in page.find("figure")[0].text
    assert cells(rows(page)[0])[5] == said


def test_without_pictures_there_are_no_rivals():
    page = parse(render(audits.audit(audits.sweep(planted=PLANTED))))
    assert len(page.find("figure")) == 2
    assert "Confused with" not in page.find("section", id="harmed")[0].text
    assert not page.find(id="cues")
    assert not page.find("a", href="#cues")


def test_losses_by_cue(page, audit):
    section = page.find("section", id="cues")[0]
    found = [cells(row) for row in section.find("tbody")[0].find("tr")]
    for row, part in zip(found, audit.cues, strict=True):
        assert row[0].endswith(part.cue.value)
        loss = audit_text.loss_text(part.loss, part.low, part.high)
        assert row[1:4] == [str(part.classes), str(part.harmed), loss]
    assert audit_text.cue_comparison(audit.cues) in section.text
    places = [float(having(svg, "now")[0].attributes["cx"]) for svg in having(section, "interval")]
    assert np.argsort(places).tolist() == np.argsort([part.loss for part in audit.cues]).tolist()


def test_the_chart_says_what_it_shows_and_marks_what_is_chosen(page, audit):
    drawn = chart(page)
    ids = drawn.attributes["aria-labelledby"].split()
    said = [drawn.find(id=name)[0].text for name in ids]
    assert said[0] == "Accuracy of 12 classes against random_resized_crop"
    assert audit_text.headline(view(audit)) in said[1]
    assert text.percent(audit.mean_accuracy[0]) in said[1]
    strengths = {node.text: node.attributes["x"] for node in having(drawn, "strength")}
    assert list(strengths) == ["1", "0.5", "0.2", "0.08"]
    assert np.ptp(np.diff([float(x) for x in strengths.values()])) < 0.11
    marks = {node.find("text")[0].text: node.find("text")[0].attributes["x"] for node in having(drawn, "mark")}
    assert marks == {"best mean accuracy": strengths["0.08"]}
    assert len(drawn.find("title")) == 1 + 12


def test_a_safe_strength_is_marked_beside_the_best_mean_accuracy():
    known = audits.audit(audits.sweep(planted={0: 0.3}, images=20_000), tolerance=0.16)
    assert known.chosen_safe == 0.2
    page = parse(render(known))
    marks = [node.find("text")[0].text for node in having(chart(page), "mark")]
    assert marks == ["best mean accuracy", "safe"]
    assert checks.tile(page, "Safe strength").find("p")[0].text == "0.2"
    assert sheet(page, "choices")[3][1] == "0.2"
    same = parse(render(audits.audit(audits.sweep(planted={}, images=4000), tolerance=0.08)))
    assert [node.find("text")[0].text for node in having(chart(same), "mark")] == ["best mean accuracy, safe"]


@pytest.mark.parametrize(
    ("update", "big", "note"),
    [
        ({"safety": ["unsafe"] * 4}, "none", "each costs some class over 5.0\N{NO-BREAK SPACE}pp"),
        ({"seeds_needed": 12}, "undetermined", "about 12 runs of each strength would show one"),
        ({"seeds_needed": None}, "undetermined", "neither safety nor harm is shown"),
    ],
)
def test_why_no_strength_is_safe(audit, update, big, note):
    found = checks.tile(parse(render(audit.model_copy(update=update))), "Safe strength").find("p")
    assert [part.text for part in found] == [big, note]


def test_lines_stand_where_the_accuracies_are(page, audit):
    drawn = chart(page)
    labels = drawn.find("text", text_anchor="end")
    ticks = {float(node.text.split("\N{NO-BREAK SPACE}")[0]): float(node.attributes["y"]) - 4 for node in labels}
    assert labels[-1].text == "90\N{NO-BREAK SPACE}%"
    low, high = min(ticks), max(ticks)
    scale = (ticks[high] - ticks[low]) / (high - low)
    lines = {line.find("title")[0].text: line.attributes["d"] for line in drawn.find("path") if line.find("title")}
    for entry in audit.classes:
        heights = [float(pair.split(" ")[1]) for pair in re.split("[ML]", lines[entry.name])[1:]]
        wanted = [ticks[low] + scale * (100 * share - low) for share in entry.accuracy]
        assert heights == pytest.approx(wanted, abs=0.06)
    places = [float(dot.attributes["cy"]) for dot in having(drawn, "at")]
    ends = [lines[name].split(" ")[-1] for name in ("teapot", "bus")]
    assert places == pytest.approx([float(end) for end in ends])


def test_with_one_seed_nothing_is_known_and_the_page_shows_that():
    known = audits.audit(audits.sweep(runs=1))
    page = parse(render(known))
    assert known.harmed is None
    assert "cannot be known from one run of each strength" in having(page, "headline")[0].text
    assert checks.tile(page, "Harmed there").find("p")[0].text == text.DASH
    assert not page.find("figure")
    assert {cells(row)[3] for row in rows(page)} == {"unknown"}
    assert sheet(page, "choices")[2][1] == "not known"
    assert not having(chart(page), "harmed")[0].find("path")
    assert len(having(chart(page), "label")) == 13
    complete(page)


def complete(page: Node) -> None:
    checks.check_nothing_reads_like_a_missing_value(page.find("main")[0].text)
    assert not re.search(r"nan|None", " ".join(node.attributes.get("d") or "" for node in page))


def test_words_as_strengths_and_classes_without_images():
    strengths = ("no augmentation", "light", "heavy and then some more", "ultra")
    known = audits.audit(audits.sweep(strengths=strengths, regularizer="recipe", empty=[3], planted=PLANTED))
    page = parse(render(known))
    assert page.find("h1")[0].text == "recipe"
    shown = [node.text for node in having(chart(page), "strength")]
    assert shown == ["no augmentati…", "light", "heavy and the…", "ultra"]
    (empty,) = [row for row in rows(page) if cells(row)[0] == "lemon"]
    assert empty is rows(page)[-1]
    assert cells(empty)[1:] == ["0", "", "no images", text.DASH, text.DASH, text.DASH]
    assert "of 11" in checks.tile(page, "Harmed there").text
    assert len(chart(page).find("title")) == 1 + 11
    complete(page)


@pytest.mark.parametrize("classes", [1, 2])
def test_few_classes(classes):
    page = parse(render(audits.audit(audits.sweep(classes, planted={}))))
    assert len(rows(page)) == classes
    assert [name.text for name in having(page, "name")][:-1] == list(audits.NAMES[:classes])
    complete(page)


def test_a_thousand_classes_stay_small_and_readable():
    planted = {7 * index: 0.3 for index in range(60)}
    known = audits.audit(audits.sweep(1000, planted=planted, strengths=[1 - index / 30 for index in range(30)]))
    source = render(known)
    page = parse(source)
    assert len(source.encode()) < 2_000_000
    assert len(rows(page)) == 1000
    labels = having(chart(page), "label")
    assert 1 < len(labels) <= 21
    heights = sorted(float(label.find("text")[0].attributes["y"]) for label in labels)
    assert min(np.diff(heights)) >= 14.9
    assert len(page.find("figure")) <= 24
    assert having(chart(page), "dense")


def test_many_harmed_classes_are_cut_and_the_page_says_so():
    known = audits.audit(audits.sweep(300, planted=dict.fromkeys(range(30), 0.3)))
    assert known.harmed == 30
    page = parse(render(known))
    assert len(page.find("figure")) == 24
    assert "24 of 30 classes; the table below has all." in page.find("section", id="harmed")[0].text
    assert sum("harmed" in label.classes for label in having(chart(page), "label")) == 14


def test_hostile_names_stay_inert():
    rival = audits.with_pictures(audits.sweep(planted=PLANTED, names=HOSTILE, regularizer=HOSTILE[0]))
    cues, source = audits.cues(HOSTILE), {HOSTILE[3]: HOSTILE[1], "list": list(HOSTILE)}
    evil = parse(render(audits.audit(rival, cues=cues, source=source)))
    usual = audits.with_pictures(audits.sweep(planted=PLANTED))
    good = parse(render(audits.audit(usual, cues=audits.cues(), source={"a": "b", "list": []})))
    assert [node.tag for node in evil] == [node.tag for node in good]
    assert {cells(row)[0] for row in rows(evil)} == {name.strip() for name in HOSTILE}
    assert evil.find("h1")[0].text == HOSTILE[0]
    assert [line.text for line in having(chart(evil), "harmed")[0].find("title")] == [
        HOSTILE[4],
        HOSTILE[0],
    ]
    settings = checks.provenance(evil)
    assert settings[HOSTILE[3]] == HOSTILE[1]
    assert json.loads(settings["list"]) == list(HOSTILE)


def test_nothing_is_fetched_and_nothing_inline_escapes_the_policy(page):
    checks.check_nothing_is_fetched_and_only_hashed_code_runs(page)
    assert not page.find("img")


def test_equal_audits_give_equal_pages(audit):
    assert render(audit) == render(Audit.model_validate_json(audit.to_json()))


def test_every_link_and_reference_has_a_target(page):
    checks.check_links_and_references_have_targets(page)


def test_controls_and_graphics_have_names(page):
    checks.check_controls_and_graphics_have_names(page)


def test_the_script_finds_what_it_asks_the_page_for(page):
    checks.check_the_script_finds_its_elements(page)
    table = page.find("table", id="table")[0]
    headings = table.find("th", scope="col")
    assert {len(cells(row)) for row in rows(page)} == {len(headings)}
    for at, heading in enumerate(headings):
        kind = heading.attributes.get("data-sort")
        values = [
            [child for child in row.children if isinstance(child, Node)][at].attributes.get("data-value")
            for row in rows(page)
        ]
        if kind == "largest":
            assert all(value is not None and float(value) >= -1 for value in values)
        elif kind is None:
            assert heading.text == "Curve"
    filters = [button.attributes["data-filter"] for button in page.find("button") if "data-filter" in button.attributes]
    assert filters == ["", "harmed", "gains"]


def test_both_themes_meet_the_contrast_of_wcag_aa(page):
    style = checks.style_of(page)
    gains = re.findall(r"--gain: (#[0-9a-f]{6})", style)
    for theme, gain in zip(checks.themes(style), gains, strict=True):
        assert min(checks.contrast(gain, theme[ground]) for ground in ("paper", "card", "faint")) >= 4.5
        assert checks.contrast(theme["alarm"], theme["paper"]) >= 4.5
