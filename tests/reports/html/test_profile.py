import json
import re

import pytest

from cuesense import registry
from cuesense.reports import graded_text, profile_text, text
from cuesense.reports.cue_text import cue_percent, relies_on
from cuesense.reports.html.profile import render
from cuesense.reports.usual_losses import safety, usual_losses
from cuesense.schemas.profile import Profile
from cuesense.types import Cue, CueVerdict, Role
from tests.helpers import page_checks as checks
from tests.helpers import profiles
from tests.helpers.graded_profiles import graded
from tests.helpers.html_tree import Node, parse
from tests.helpers.page_checks import HOSTILE


def payload(page: Node) -> dict:
    return json.loads(page.find(id="data")[0].text)


def by_name(page: Node) -> dict[str, Node]:
    return {row.find("a")[0].text: row for row in rows(page)}


def heading_cells(page: Node) -> list[Node]:
    return list(page.find("table", id="table")[0].find("thead")[0])


def short(*shares: float | None) -> list[float | None]:
    """Shares as the page embeds them: with five decimals."""
    return [None if share is None else round(share, 5) for share in shares]


def rows(page: Node) -> list[Node]:
    return page.find("table", id="table")[0].find("tbody")[0].find("tr")


@pytest.fixture(scope="module")
def profile() -> Profile:
    return profiles.profile(12, empty=2, seed=3)


@pytest.fixture(scope="module")
def page(profile) -> Node:
    return parse(render(profile, profiles.pictures(profile)))


def test_it_is_registered():
    assert registry.get("reports", "html") is render


def test_every_class_has_a_row_that_agrees_with_the_profile(profile, page):
    augmentations = ["random_resized_crop", "color_jitter", "horizontal_flip", "random_gaussian_blur"]
    augmentations += ["random_erasing", "random_rotation"]
    assert len(rows(page)) == len(profile.classes)
    losses, found = usual_losses(profile), safety(profile)
    for row in rows(page):
        at = int(row.attributes["data-at"])
        entry = profile.classes[at]
        cells = [cell.text.strip() for cell in row.children if isinstance(cell, Node)]
        name, images, accuracy, cue, loss, status, evidence, *budgets = cells
        assert loss.startswith(text.DASH if losses[at] is None else text.points(losses[at].drop))
        assert status.endswith(found[at].value)
        assert name == entry.name
        assert images == str(entry.images)
        assert accuracy == text.percent(entry.clean_accuracy)
        assert cue == f"{text.CUE_LETTERS[entry.cue]}{relies_on(entry)} {cue_percent(entry)}".rstrip()
        known = [profile_text.budget_text(entry.budgets[augmentation]) for augmentation in augmentations]
        assert budgets == ["?undetermined" if budget == "?" else budget for budget in known]
        for part in entry.reliance.values() if entry.images else ():
            assert text.with_interval(part.value, part.low, part.high) in evidence


def test_classes_without_images_say_so(page, profile):
    found = by_name(page)
    for entry in profile.classes:
        assert (found[entry.name].find("td")[5].text == "no images") == (entry.images == 0)
    assert rows(page)[-1].find("td")[1].text == text.DASH


def test_the_summary_agrees_with_the_profile(page, profile):
    known = [entry for entry in profile.classes if entry.clean_accuracy is not None]
    worst = min(known, key=lambda entry: entry.clean_accuracy)
    assert text.percent(profile.summary.clean_accuracy) in checks.tile(page, "Clean accuracy").text
    assert text.percent(worst.clean_accuracy) in checks.tile(page, "Worst class").text
    assert checks.tile(page, "Worst class").find("a")[0].text == worst.name
    assert f"{profile.summary.labels[CueVerdict.UNDETERMINED]} of 12" in checks.tile(page, "Undetermined").text
    title = checks.tile(page, "What the classes rely on").find("title")[0].text
    counts = {label: count for label, count in profile.summary.labels.items() if count}
    assert title == ", ".join(f"{label.value} {count}" for label, count in counts.items())


def test_shared_budgets_and_their_limiting_class_are_shown(page, profile):
    items = next(node for node in page.find("ul") if "shared" in node.classes).find("li")
    curves = {curve.perturbation: curve for curve in profile.curves}
    for item, (name, entry) in zip(items, profile.policy.global_.items(), strict=True):
        assert item.text.startswith(text.readable_name(name))
        shown = profile_text.global_budget_text(entry, curves[name])
        assert item.find("strong")[0].text == ("undetermined" if shown == "?" else shown)
        assert (entry.limited_by_class or "no class limits it") in item.text


def test_warnings_are_shown_only_where_there_are_some(page):
    assert not page.find(role="note")
    warned = parse(render(profiles.profile(2)))
    assert "Normalization was assumed" in warned.find(role="note")[0].text


def test_assumptions_are_shown_only_where_there_are_some_and_escaped():
    source = profiles.profile(2)
    assert not parse(render(source)).find(id="assumptions")
    assumed = source.provenance.model_copy(update={"assumptions": [HOSTILE[0], "b"]})
    page = parse(render(source.model_copy(update={"provenance": assumed})))
    assert page.find(id="assumptions")[0].text == "Assumptions"
    footer = page.find(id="provenance")[0]
    assert [item.text for item in footer.find("li")] == [HOSTILE[0], "b"]


def test_the_overview_has_one_panel_a_perturbation(page, profile):
    section = page.find("section", id="curves")[0]
    titles = [figure.find("strong")[0].text for figure in section.find("figure")]
    assert sorted(titles) == sorted(text.readable_name(curve.perturbation) for curve in profile.curves)
    assert [heading.text for heading in section.find("h3")] == [
        "Cue suppressions",
        "Augmentations",
        "Controls: should cost nothing",
    ]
    grayscale = section.find("figure")[0]
    accuracy = mean_accuracies(profile, 0)
    assert ", ".join(text.percent(share) for share in accuracy) in grayscale.find("svg")[0].attributes["aria-label"]


def mean_accuracies(profile: Profile, which: int) -> list[float]:
    curve = profile.curves[which]
    present = [index for index, images in enumerate(curve.n) if images]
    lost = [[0] * len(curve.n), *curve.lost]
    gained = [[0] * len(curve.n), *curve.gained]
    return [
        sum(
            (curve.clean_correct[at] + (gained[severity][at] - lost[severity][at]) / curve.repeats) / curve.n[at]
            for at in present
        )
        / len(present)
        for severity in range(len(lost))
    ]


def test_the_embedded_data_agree_with_the_profile(page, profile):
    data = payload(page)
    assert data["z"] == pytest.approx(1.959964, abs=1e-6)
    for index, (found, curve) in enumerate(zip(data["curves"], profile.curves, strict=True)):
        assert found["n"] == curve.n
        assert found["raw"] == {"correct": curve.clean_correct, "lost": curve.lost, "gained": curve.gained}
        assert found["corrected"]["lost"] == curve.corrected.lost
        assert found["repeats"] == curve.repeats
        assert found["values"] == profile_text.curve_values(curve)
        assert len(found["ticks"]) == len(curve.values)
        assert found["mean"] == pytest.approx(mean_accuracies(profile, index), abs=1e-4)
    for found, entry in zip(data["classes"], profile.classes, strict=True):
        assert [found[key] for key in ("name", "images", "accuracy", "cue", "why")] == [
            entry.name,
            entry.images,
            entry.clean_accuracy,
            entry.cue.value,
            entry.why,
        ]
        assert found["flags"] == profile_text.flag_texts(entry.flags)
        parts = [entry.reliance[cue] for cue in Cue]
        assert found["evidence"] == [short(p.value, p.low, p.high, p.sufficiency.value) for p in parts]
        assert found["rivals"] == [[rival.rival, "grayscale", rival.share] for rival in entry.rivals]


def test_embedded_budgets_rank_none_below_undetermined_below_values(page, profile):
    data = payload(page)
    curves = {curve.perturbation: curve for curve in profile.curves}
    for found, entry in zip(data["classes"], profile.classes, strict=True):
        for column, part in zip(data["augmentations"], found["budgets"], strict=True):
            budget = entry.budgets[column["name"]]
            rank, status, value, *rest = part
            shown = [*short(budget.drop, budget.low, budget.high), budget.limited_by, profile_text.budget_risk(budget)]
            assert (status, rest) == (budget.status.value, shown)
            if budget.value is None:
                assert value is None
                assert rank == {"none": -1, "undetermined": 0}[status]
            else:
                severity = curves[column["name"]].values.index(budget.value)
                assert rank == severity + 1
                assert value == profile_text.curve_values(curves[column["name"]])[severity]


def test_corrected_counts_are_left_out_where_they_change_nothing(profile):
    curve = profile.curves[0]
    same = curve.corrected.model_copy(
        update={"clean_correct": curve.clean_correct, "lost": curve.lost, "gained": curve.gained}
    )
    plain = profile.model_copy(update={"curves": [curve.model_copy(update={"corrected": same})]})
    assert payload(parse(render(plain)))["curves"][0]["corrected"] is None


def test_budgets_that_one_class_lacks_are_dashes(profile):
    bare = profile.classes[1].model_copy(update={"budgets": {}})
    mixed = profile.model_copy(update={"classes": [profile.classes[0], bare, *profile.classes[2:]]})
    page = parse(render(mixed))
    assert [cell.text for cell in by_name(page)[bare.name].find("td")[-4:]] == [text.DASH] * 4
    assert payload(page)["classes"][1]["budgets"] == [None] * 6


def test_nothing_is_fetched_and_nothing_inline_escapes_the_policy(page):
    checks.check_nothing_is_fetched_and_only_hashed_code_runs(page)


def test_hostile_names_stay_inert():
    evil, good = profiles.profile(12, names=HOSTILE), profiles.profile(12)
    warned = evil.summary.model_copy(update={"warnings": [HOSTILE[0]]})
    evil = evil.model_copy(update={"summary": warned})
    page = parse(render(evil, profiles.pictures(evil)))
    usual = parse(render(good, profiles.pictures(good)))
    assert [node.tag for node in page] == [node.tag for node in usual]
    assert sorted(row.find("th")[0].text for row in rows(page)) == sorted(HOSTILE)
    assert [entry["name"] for entry in payload(page)["classes"]] == list(HOSTILE)
    assert page.find(role="note")[0].find("li")[0].text == HOSTILE[0]


def test_the_embedded_data_cannot_close_their_element():
    page = render(profiles.profile(12, names=HOSTILE))
    start = page.index('id="data">') + len('id="data">')
    inside = page[start : page.index("</script>", start)]
    assert "<" not in inside
    json.loads(inside)


def test_hostile_provenance_is_escaped(profile):
    model = profile.provenance.model.model_copy(update={"spec": HOSTILE[0], "preprocessing": {HOSTILE[3]: HOSTILE[:2]}})
    changed = profile.model_copy(update={"provenance": profile.provenance.model_copy(update={"model": model})})
    page = parse(render(changed))
    assert page.find("h1")[0].text == "script>"
    assert page.find("title")[0].text == "cuesense · script>"
    assert checks.provenance(page)["model"] == HOSTILE[0]
    settings = checks.provenance(page)
    assert json.loads(settings[HOSTILE[3]]) == list(HOSTILE[:2])


def test_the_provenance_is_complete(page, profile):
    settings = checks.provenance(page)
    assert settings["weights sha256"] == profile.provenance.model.sha256
    assert settings["dataset fingerprint"] == profile.provenance.dataset.fingerprint
    assert json.loads(settings["mean"]) == profile.provenance.model.preprocessing["mean"]
    for name, value in {**profile.provenance.config, **profile.provenance.versions, "seed": 0}.items():
        assert settings[text.readable_name(name)] == str(value)
    assert settings["tolerance"] == "0.05"


def test_equal_arguments_give_equal_pages(profile):
    again = Profile.model_validate_json(profile.to_json())
    assert render(profile, profiles.pictures(profile)) == render(again, profiles.pictures(again))


@pytest.mark.parametrize("source", [profiles.profile(1), profiles.profile(3, empty=3), profiles.profile(1, empty=1)])
def test_small_and_empty_profiles(source):
    page = parse(render(source))
    assert len(rows(page)) == len(source.classes)
    said = page.find("main")[0].text.split("Provenance")[0]
    for code in page.find("pre"):
        said = said.replace(code.text, "")
    assert not re.search(r"\b(nan|None|inf)\b", said)
    if source.summary.clean_accuracy is None:
        assert text.DASH in checks.tile(page, "Clean accuracy").text
        assert "no class has images" in checks.tile(page, "Worst class").text
        assert not page.find(id="curves")
        assert all(curve["mean"] is None for curve in payload(page)["curves"])


def test_a_thousand_classes_stay_small():
    page = render(profiles.profile(1000, copies=2))
    assert len(page.encode()) < 8_000_000
    assert page.count('<tr id="class=') == 1000


def test_every_link_and_reference_has_a_target(page):
    checks.check_links_and_references_have_targets(page)


def test_controls_and_graphics_have_names(page):
    checks.check_controls_and_graphics_have_names(page)


def test_the_script_finds_what_it_asks_the_page_for(page):
    checks.check_the_script_finds_its_elements(page)
    keys = {cell.attributes["data-sort"] for cell in heading_cells(page) if "data-sort" in cell.attributes}
    data = payload(page)
    budgets = (f"budget:{part['name']}" for part in data["augmentations"])
    known = {"safety", *data["classes"][0], *data["cues"], *budgets}
    assert keys <= known
    assert {button.attributes["data-filter"] for button in page.find("button", aria_pressed="false")} <= set(CueVerdict)


def test_both_themes_meet_the_contrast_of_wcag_aa(page):
    found = checks.themes(checks.style_of(page))
    assert len(found) == 2
    for theme in found:
        for ink in ("ink", "muted", "link", "alarm"):
            assert min(checks.contrast(theme[ink], theme[ground]) for ground in ("paper", "card", "faint")) >= 4.5, ink
        for hue in ("shape", "texture", "color", "mixed", "redundant", "insensitive", "fine-detail"):
            assert checks.contrast(theme["on"], theme[hue]) >= 4.5, hue


def test_every_verdict_has_a_color_of_its_own_and_is_explained(page):
    style = checks.style_of(page)
    for theme in checks.themes(style):
        colors = [theme[text.css_class(cue)] for cue in CueVerdict]
        assert len(set(colors)) == len(colors)
    for cue in CueVerdict:
        assert f".{text.css_class(cue)} {{ --hue: var(--{text.css_class(cue)}); }}" in style
    explained = page.find("section", id="reading")[0].find("dl")[1].find("span")
    chips = [node for node in explained if "chip" in node.classes]
    assert [node.classes for node in chips] == [["chip", text.css_class(cue)] for cue in CueVerdict]
    assert [node.find("span")[-1].text for node in chips] == [cue.value for cue in CueVerdict]


def test_a_cue_of_two_words_is_written_with_a_blank_and_colored_by_one_class(profile):
    first = profile.classes[0].model_copy(update={"cue": CueVerdict.FINE_DETAIL})
    shown = parse(render(profile.model_copy(update={"classes": [first, *profile.classes[1:]]})))
    (row,) = (row for row in rows(shown) if first.name in row.text)
    (chip,) = (node for node in row.find("span") if "chip" in node.classes)
    assert chip.classes == ["chip", "fine-detail"]
    assert chip.text == "Ffine detail"
    assert payload(shown)["classes"][int(row.attributes["data-at"])]["cue"] == "fine detail"


@pytest.fixture(scope="module")
def answered() -> Profile:
    return graded(12, empty=1, seed=3)


def test_rows_begin_with_the_largest_usual_loss_and_keep_their_place_in_the_data(answered):
    shown = parse(render(answered))
    data, losses = payload(shown), usual_losses(answered)
    places = [int(row.attributes["data-at"]) for row in rows(shown)]
    for row, at in zip(rows(shown), places, strict=True):
        assert data["classes"][at]["name"] == row.find("a")[0].text
    known = [losses[at].drop for at in places if losses[at] is not None]
    assert known == sorted(known, reverse=True)
    assert [losses[at] is None for at in places] == sorted(losses[at] is None for at in places)
    checks.check_the_script_finds_its_elements(shown)
    checks.check_links_and_references_have_targets(shown)


def test_without_augmentations_rows_are_sorted_by_lean(answered):
    bare = [entry.model_copy(update={"budgets": {}}) for entry in answered.classes]
    curves = [curve for curve in answered.curves if curve.role is not Role.AUGMENTATION]
    policy = answered.policy.model_copy(update={"global_": {}, "per_class": {}})
    plain = answered.model_copy(update={"classes": bare, "curves": curves, "policy": policy})
    shown = parse(render(plain))
    assert [row.find("a")[0].text for row in rows(shown)] == [entry.name for entry in plain.classes_by_lean]
    assert "No augmentation was measured." in shown.find("section", id="policy")[0].text
    assert "usual" not in {cell.attributes.get("data-sort") for cell in heading_cells(shown)}


def test_where_nothing_is_forecast_the_policies_have_dashes() -> None:
    section = parse(render(profiles.profile(3, images=1))).find("section", id="policy")[0]
    assert "Nothing is forecast, since no class has two images." in section.text
    rows = [row.find("td") for row in section.find(id="compared")[0].find("tbody")[0].find("tr")]
    assert [[cell.text.strip() for cell in row[1:]] for row in rows] == [["–"] * 4] * 2
    assert not any(words in section.text for words in ("what limits it", "next best"))


def test_what_a_class_keeps_and_where_it_leans_are_in_the_page(answered):
    shown = parse(render(answered))
    found_rows = by_name(shown)
    for found, entry in zip(payload(shown)["classes"], answered.classes, strict=True):
        row = found_rows[entry.name]
        assert row.find("td")[3].text == graded_text.lean_text(entry)
        certain = entry.leans_to is not None and entry.lean[entry.leans_to].low > 0
        assert row.attributes["data-lean"] == (entry.leans_to.value if certain else "")
        assert found["kept"] == [
            [text.readable_name(name), part.value, *(pytest.approx(end, abs=1e-5) for end in (part.low, part.high))]
            for name, part in entry.kept.items()
        ]
        assert found["lean"] == (max(part.value for part in entry.lean.values()) if entry.lean else None)
    assert "lean" in {cell.attributes.get("data-sort") for cell in heading_cells(shown)}


def test_profiles_of_earlier_versions_have_no_leans(page):
    assert "lean" not in {cell.attributes.get("data-sort") for cell in page.find("thead")[0].find("th")}
    assert {(tuple(entry["kept"]), entry["lean"]) for entry in payload(page)["classes"]} == {((), None)}


def test_a_page_without_pictures_says_so_and_why() -> None:
    without = render(profiles.profile(3))
    assert "There are no pictures, because none lie beside the profile" in without
    assert "Open a class for its curves" in without
