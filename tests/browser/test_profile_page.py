"""The profile's page in a browser: its links, controls, panel, map, words and copy buttons."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from cuesense.policies.policy import DEFAULT_AUGMENTATIONS, uniform
from cuesense.reports.html.profile import render
from cuesense.reports.pictures import Answer
from cuesense.schemas.profile import TrainedModel, VerifiedModel
from cuesense.types import CueVerdict
from tests.helpers import browser
from tests.helpers.browser import PHONE, Viewer
from tests.helpers.page_checks import HOSTILE
from tests.helpers.page_pictures import noise_pictures
from tests.helpers.pages import full_page, full_profile

SECTIONS = ["summary", "map", "confusions", "policy", "classes", "curves", "reading", "provenance"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("page") / "report.html"
    found.write_text(full_page(full_profile()), encoding="utf-8")
    return found


def shown(page: Any) -> list[str]:
    """The names of the rows that are shown, in their order."""
    return page.locator("#table tbody tr:not([hidden]) th").all_inner_texts()


def wait_for(page: Any, place: str, text: str) -> None:
    """Wait until an element has a text. wait_for_function would evaluate a string, which the page's policy forbids."""
    page.locator(place, has_text=text).wait_for(state="attached")


def title(page: Any) -> str:
    return page.locator("#panel h3").inner_text()


def address(page: Any) -> str:
    return unquote(page.url.partition("#")[2])


def test_a_class_opens_by_its_link_and_leads_on(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path, fragment="#class=school%20bus")
    assert title(page) == "school bus"
    panel = page.locator("#panel")
    assert page.evaluate("document.activeElement.id") == "panel"
    # Rivals lead on, and going back leads back.
    panel.get_by_role("link", name="tench").first.click()
    assert (title(page), address(page)) == ("tench", "class=tench")
    page.go_back()
    assert title(page) == "school bus"
    order = shown(page)
    place = order.index("school bus")
    page.locator("#next").click()
    assert title(page) == order[(place + 1) % len(order)]
    page.locator("#previous").click()
    page.keyboard.press("ArrowLeft")
    assert title(page) == order[place - 1]
    page.keyboard.press("Escape")
    assert panel.is_hidden()
    assert "#" not in page.url
    # From the table, by keyboard; closing gives the focus back.
    link = page.locator("#table tbody a").first
    link.focus()
    page.keyboard.press("Enter")
    assert title(page) == order[0]
    scrolled = page.evaluate("scrollY")
    page.get_by_role("button", name="Close the class").click()
    assert page.evaluate("document.activeElement.textContent") == order[0]
    assert page.evaluate("scrollY") == scrolled
    # From the headline, the pairs, the matrix and the policy.
    for place in (".findings a", ".pairs a >> nth=1", ".matrix thead a", "#compared a"):
        target = page.locator(place).first
        name = target.inner_text()
        target.click()
        assert title(page) == name
        page.keyboard.press("Escape")
    # Nothing opens for a class that does not exist.
    page.evaluate("location.hash = '#class=%E0%A4%A'")
    page.evaluate("location.hash = '#class=nobody'")
    assert panel.is_hidden()
    said = page.locator("#unknown")
    assert said.inner_text() == "No class “nobody” in this profile."
    assert (said.get_attribute("role"), address(page)) == ("status", "class=nobody")
    page.evaluate("location.hash = '#class=tench'")
    panel.wait_for()
    assert said.inner_text() == ""


def test_the_panel_shows_what_is_known_of_a_class(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path, fragment="#class=tench")
    panel = page.locator("#panel")
    headings = panel.locator("h4").all_inner_texts()
    assert headings[:3] == ["What the model answers", "Budgets", "Policy"]
    assert {"Rivals", "What it keeps, % of its recognized images", "Cue suppressions", "Augmentations"} <= set(headings)
    strips = panel.locator(".strip")
    assert strips.count() == 3
    tiles = strips.first.locator("figure")
    assert tiles.count() == 5
    assert tiles.nth(0).get_attribute("class") == "right"
    assert re.match(r"clean\s+✓ tench 81\s%\s+next: barn spider 12\s%", tiles.nth(0).inner_text())
    assert re.match(r"0\.2\s+✗ barn spider 81\s%\s+tench itself 12\s%", tiles.nth(3).inner_text())
    assert tiles.nth(3).locator("img").get_attribute("alt").endswith("barn spider 81\N{NO-BREAK SPACE}%, wrong")
    assert page.evaluate("[...document.querySelectorAll('#panel img')].every((image) => image.naturalWidth > 0)")
    assert panel.locator("svg.panel").count() == 14
    assert "nan" not in panel.inner_text().lower()
    # The class without images says so and draws nothing.
    page.evaluate("location.hash = '#class=king%20penguin'")
    wait_for(page, "#panel h3", "king penguin")
    assert "no images" in panel.inner_text()
    assert panel.locator("img, svg.panel").count() == 0


def test_the_panel_shows_what_trainings_showed_beside_the_forecast(viewer: Viewer, tmp_path: Path) -> None:
    source = full_profile()
    usual = uniform(DEFAULT_AUGMENTATIONS, [entry.name for entry in source.classes])
    policies = {
        name: TrainedModel(
            policy=policy.to_dict(), mean=0.9, worst=0.5, over_tolerance=0, gain=gain, gain_margin=margin
        )
        for name, policy, gain, margin in (
            ("usual", usual, [-0.123, *[0.0] * 11], [0.04, *[None] * 11]),
            ("best_uniform", replace(usual, probability=0.5), [0.02, *[None] * 11], []),
        )
    }
    known = source.model_copy(update={"verified": VerifiedModel(tolerance=0.05, seeds=3, policies=policies)})
    (tmp_path / "report.html").write_text(render(known), encoding="utf-8")
    page = viewer.open(tmp_path / "report.html", fragment="#class=tench")
    table = page.locator("#panel table", has=page.get_by_role("columnheader", name="Trained with"))
    first, second = ([cell.strip() for cell in row.split("\t")] for row in table.locator("tbody tr").all_inner_texts())
    forecast = page.locator("#panel tr", has_text="With the usual default").locator("td").first.inner_text()
    assert first == ["the usual default", "−12.3 ±4.0", forecast]
    assert second == ["the best uniform policy", "2.0", "–"]


def test_search_filters_and_order(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path)
    profile = full_profile()
    everything = shown(page)
    assert len(everything) == 12
    assert page.locator("#shown").inner_text() == "12 of 12 shown"
    page.get_by_label("Search classes").fill("MONARCH")
    assert shown(page) == ["monarch butterfly"]
    page.get_by_label("Search classes").fill("")
    for button in page.locator("[data-filter]").all():
        button.click()
        cue = button.get_attribute("data-filter")
        assert set(shown(page)) == {entry.name for entry in profile.classes if cue in ("", entry.cue.value)}
    page.locator("[data-filter='']").click()
    for by, count in (("lean", None), ("safety", None), ("images", 1)):
        choice = page.locator(f"[data-by={by}]")
        values = [value for value in choice.locator("option").evaluate_all("all => all.map((o) => o.value)") if value]
        found = []
        for value in values:
            choice.select_option(value)
            found.append(shown(page))
        if by != "images":
            # Each class has one lean and one status; those without images have none.
            assert len({name for names in found for name in names}) == sum(map(len, found)) >= 11
        else:
            assert [len(names) for names in found] == [count, 11, 11, 0]
        choice.select_option("")
    assert shown(page) == everything
    # Sorting: numbers, names, and the arrow and state of the column.
    page.get_by_role("button", name="Clean").click()
    by_name = {entry.name: entry.clean_accuracy for entry in profile.classes}
    known = [by_name[name] for name in shown(page) if by_name[name] is not None]
    assert known == sorted(known)
    assert by_name[shown(page)[-1]] is None
    page.get_by_role("button", name="Clean").click()
    assert page.locator("th.clean").get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="Class", exact=True).click()
    assert shown(page) == sorted(everything)
    page.get_by_role("button", name="Sort by color evidence").click()
    assert page.locator("#table [aria-sort]").count() == 1
    assert page.locator("th.reliance").get_attribute("aria-sort") == "descending"
    evidence = {entry.name: list(entry.reliance.values())[2].value for entry in profile.classes}
    found = [evidence[name] for name in shown(page) if evidence[name] is not None]
    assert found == sorted(found, reverse=True)


def test_the_map_leads_to_classes_by_pointer_and_keyboard(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path)
    dots = page.locator("#cue-map [data-at]")
    assert dots.count() == 11
    dots.nth(4).scroll_into_view_if_needed()
    dots.nth(4).hover()
    at = int(dots.nth(4).get_attribute("data-at"))
    name = full_profile().classes[at].name
    assert page.locator("#map-label").inner_text() == name
    assert page.locator("#map-here").inner_text().startswith(name)
    assert float(page.locator(".strips .here").first.get_attribute("cx")) > 0
    dots.nth(4).click()
    assert title(page) == name
    page.keyboard.press("Escape")
    # One tab stop, however many dots.
    assert page.locator("#cue-map [tabindex], #cue-map a, #cue-map button").count() == 0
    page.locator("#cue-map").focus()
    start = page.locator("#map-here").inner_text()
    seen = {start}
    for key in ("ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
        seen.add(page.locator("#map-here").inner_text())
    assert len(seen) > 2
    here = page.locator("#map-here bdi").inner_text()
    page.keyboard.press("Enter")
    assert title(page) == here
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "cue-map"


def test_a_named_dot_keeps_inside_the_window_when_that_gets_smaller(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path, size=(844, 390))
    dots = page.locator("#cue-map [data-at]").evaluate_all(
        "all => all.map((dot) => [dot.cx.baseVal.value, dot.dataset.at])"
    )
    _, rightmost = max(dots)
    name = full_profile().classes[int(rightmost)].name
    page.evaluate("(name) => { location.hash = `#class=${encodeURIComponent(name)}`; }", name)
    wait_for(page, "#map-label", name)
    page.set_viewport_size({"width": 390, "height": 844})
    # The script is told of the new size before the next picture is drawn.
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert browser.overflow(page) == 0
    assert page.locator("#map-label").is_visible()


def test_words_are_explained_where_they_stand(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path)
    tip = page.locator("#tip")
    word = page.locator("#policy [data-word=budget]")
    meaning = page.locator("#word-budget").inner_text()
    assert "any" in meaning
    word.focus()
    assert tip.inner_text() == meaning
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    page.locator("#confusions [data-word=rival]").hover()
    assert tip.inner_text() == page.locator("#word-rival").inner_text()
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280
    page.mouse.move(0, 0)
    assert tip.is_hidden()
    # Inside a class, Escape hides the meaning first, then the class.
    page.evaluate("location.hash = '#class=tench'")
    page.locator("#panel [data-word=sink]").first.click()
    assert tip.inner_text() == page.locator("#word-sink").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
    touched = viewer.open(path, size=PHONE)
    touched.locator("#policy [data-word=budget]").tap()
    assert touched.locator("#tip").is_visible()
    touched.locator("#policy-title").tap()
    assert touched.locator("#tip").is_hidden()


def test_words_of_findings_legend_and_classes_are_explained_by_keyboard_and_touch(
    viewer: Viewer, tmp_path: Path
) -> None:
    source = full_profile()
    summary = source.summary.model_copy(update={"warnings": ["Sink classes, as which others are predicted: tench."]})
    first = source.classes[0].model_copy(update={"cue": CueVerdict.INSENSITIVE})
    known = source.model_copy(update={"summary": summary, "classes": [first, *source.classes[1:]]})
    (tmp_path / "report.html").write_text(render(known), encoding="utf-8")
    page = viewer.open(tmp_path / "report.html", size=PHONE)
    tip = page.locator("#tip")
    assert page.locator(".warnings li").inner_text() == summary.warnings[0]
    places = [(".tile", "undetermined"), (".warnings", "sink"), ("#classes", "lean")]
    in_class = ["insensitive", "sufficiency", "necessity", "certified"]
    for place, word in places + [("#panel", word) for word in in_class]:
        if place == "#panel" and page.locator(place).is_hidden():
            page.evaluate("(name) => { location.hash = `#class=${name}`; }", first.name)
        term = page.locator(f"{place} [data-word={word}]")
        meaning = page.locator(f"#word-{word}").text_content()
        term.focus()
        assert tip.inner_text() == meaning
        page.keyboard.press("Escape")
        assert tip.is_hidden()
        term.tap()
        assert tip.inner_text() == meaning
    assert browser.violations(page) == []


def test_code_and_command_are_copied(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("[data-copy=command]").click()
    wait_for(page, "#copied", "Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#command").inner_text()
    assert page.locator(".code summary").all_inner_texts() == [
        "torchvision",
        "kornia",
        "albumentations",
        "timm",
        "Ultralytics",
    ]
    page.locator(".code summary", has_text="kornia").click()
    assert page.locator(".code[open]").count() == 1
    button = page.locator(".code[open] .copy")
    button.click()
    wait_for(page, ".code[open] .copy", "Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(".code[open] code").text_content()
    compile(copied, "kornia", "exec")
    # Where the clipboard refuses, the text is selected, and copied the old way or by hand.
    page.evaluate("() => { Clipboard.prototype.writeText = () => Promise.reject(new Error('refused')); }")
    page.locator("[data-copy=command]").click()
    page.wait_for_function("String(getSelection()) !== ''")
    assert page.evaluate("String(getSelection())") == page.locator("#command").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [browser.DESKTOP, PHONE], ids=["desktop", "phone"])
def test_everybody_can_read_it_at_every_size(viewer: Viewer, path: Path, theme: str, size: tuple[int, int]) -> None:
    page = viewer.open(path, theme=theme, size=size)
    assert [page.locator(f"#{name}").count() for name in SECTIONS] == [1] * len(SECTIONS)
    assert browser.overflow(page) == 0
    page.get_by_role("button", name="Status").click()
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert browser.overflow(page) == 0
    assert browser.violations(page) == []
    page.evaluate("location.hash = '#class=tench'")
    page.locator("#panel").wait_for()
    assert browser.overflow(page) == 0
    panel = "document.getElementById('panel')"
    assert page.evaluate(f"{panel}.scrollWidth - {panel}.clientWidth") <= 0
    assert browser.violations(page, "#panel") == []


def test_on_paper_nothing_is_lost(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path)
    order = shown(page)
    pdf = page.pdf(format="A4")
    # afterprint has put the page back; what was printed is made again for a look at it.
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    sheets = page.locator("#printed article")
    assert sheets.locator("h3").all_inner_texts() == order[:6]
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    # A sheet a class, and the rest on as many.
    assert 8 <= pages <= 12
    page.set_viewport_size({"width": 703, "height": 1000})
    assert browser.overflow(page) == 0
    columns = page.locator("#table thead th").evaluate_all("all => all.map((cell) => getComputedStyle(cell).display)")
    assert set(columns) == {"table-cell"}
    for control in ("nav", ".controls", "#panel", "#cue-map + * .readout"):
        assert page.locator(control).first.is_hidden()
    heights = sheets.evaluate_all("all => all.map((sheet) => sheet.getBoundingClientRect().height)")
    # 297 mm less two margins of 12, at 96 dots an inch.
    assert max(heights) <= 1031


def test_without_scripts_the_page_can_be_read(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path, scripts=False)
    assert page.locator("#table tbody tr:visible").count() == 12
    assert page.locator(".findings li").first.is_visible()
    assert page.locator(".controls").is_hidden()
    assert page.locator(".copy").first.is_hidden()
    page.locator(".pairs a").first.click()
    assert page.locator("#table tr:target").count() == 1


def test_hostile_names_stay_text(viewer: Viewer, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(full_page(full_profile(names=HOSTILE)), encoding="utf-8")
    page = viewer.open(path, size=PHONE)
    page.on("dialog", lambda dialog: viewer.problems.append(f"Dialog: {dialog.message}"))
    assert page.locator("img").count() == 0
    assert page.locator("script:not([type])").count() == 2
    assert browser.overflow(page) == 0
    for link in page.locator("#table tbody a").all():
        name = link.get_attribute("title")
        link.click()
        assert page.locator("#panel h3").text_content() == name
        assert browser.overflow(page) == 0
        page.keyboard.press("Escape")


LONG = (
    "English Springer Spaniel",
    "Great Pyrenees dog",
    "x" * 300,
    "German Short-haired Pointer",
    "Cardigan Welsh Corgi",
)
WIDTHS = (320, 360, 390, 768, 1024, 1280, 1600)
# By how much the matrix is cut.
CUT = "() => [document.querySelector('.matrix').closest('.scroll')].map((box) => box.scrollWidth - box.clientWidth)[0]"


def test_long_names_make_nothing_wider_than_the_window(viewer: Viewer, tmp_path: Path) -> None:
    path = tmp_path / "long.html"
    path.write_text(full_page(full_profile(15, names=LONG)), encoding="utf-8")
    page = viewer.open(path)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert (browser.overflow(page), page.evaluate(CUT)) == (0, 0), width
        name = page.locator("#table tbody th").first.bounding_box()
        assert name["width"] >= 80, width
        budgets = page.locator("#table thead th.budget:visible").count()
        assert budgets == {1600: 6, 1280: 6, 1024: 4, 768: 2}.get(width, 1 if width > 368 else 0)
    page.emulate_media(media="print")
    # A4 without its margins.
    page.set_viewport_size({"width": 703, "height": 1000})
    assert (browser.overflow(page), page.evaluate(CUT)) == (0, 0)


HYPHENS = ("shape-0", "shape-1", "texture-22", "hen-of-the-woods", "black-and-white colobus")
# The words that take more than one line; one that is cut has several boxes on its line.
BROKEN = """(place) => [...document.querySelectorAll(`${place} .whole`)]
  .filter((word) => new Set([...word.getClientRects()].map((box) => box.top)).size > 1)
  .map((word) => word.textContent)"""


@pytest.mark.parametrize("width", [320, 390])
def test_names_are_not_broken_after_a_hyphen(viewer: Viewer, tmp_path: Path, width: int) -> None:
    path = tmp_path / "hyphens.html"
    path.write_text(full_page(full_profile(5, names=HYPHENS)), encoding="utf-8")
    page = viewer.open(path, size=(width, 740))
    assert page.locator("main .whole").count() > 20
    assert page.evaluate(BROKEN, "main") == []
    for name in HYPHENS:
        page.evaluate("(hash) => { location.hash = hash; }", f"#class={name}")
        wait_for(page, "#panel h3", name)
        assert page.locator("#panel .whole").count() > 0
        assert page.evaluate(BROKEN, "#panel") == []
        assert browser.overflow(page) == 0
        panel = "document.getElementById('panel')"
        assert page.evaluate(f"{panel}.scrollWidth - {panel}.clientWidth") <= 0


# Links that lead where the one before them in the order of the Tab key leads.
REPEATED = """(place) => [...document.querySelectorAll(`${place} :is(a, button, input, select, summary, [tabindex])`)]
  .filter((stop) => stop.tabIndex >= 0 && stop.checkVisibility())
  .filter((stop, at, all) => at && stop.hash && stop.hash === all[at - 1].hash).map((link) => link.hash)"""


def test_tab_stops_once_at_links_to_one_class_in_a_row(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path, fragment="#class=tench")
    assert page.locator("main a[tabindex='-1']").count() > 5
    assert (page.evaluate(REPEATED, "main"), page.evaluate(REPEATED, "#panel")) == ([], [])
    # By pointer each of them opens the class.
    page.keyboard.press("Escape")
    link = page.locator("main a[tabindex='-1']").first
    name = link.inner_text()
    link.click()
    assert title(page) == name


def test_columns_without_room_are_named(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path, size=(1600, 900))
    said = page.locator("#left-out")
    assert said.is_hidden()
    page.set_viewport_size({"width": 1024, "height": 900})
    expected = (
        "No room at this width for images, lean, random erasing, random rotation: a class’s details have them all."
    )
    wait_for(page, "#left-out", expected)
    assert said.is_visible()


def test_pictures_say_what_else_was_likely(viewer: Viewer, tmp_path: Path) -> None:
    source = full_profile(6)
    strips = noise_pictures(source, strips=1)
    clean = strips[0][0].clean
    beyond = replace(clean, answer=Answer("tench", 0.8, True, None, 0.12))
    path = tmp_path / "page.html"
    path.write_text(render(source, {0: [replace(strips[0][0], clean=beyond)]}), encoding="utf-8")
    page = viewer.open(path, fragment="#class=tench")
    assert "next: another output 12" in page.locator(".strip figure").first.inner_text()
