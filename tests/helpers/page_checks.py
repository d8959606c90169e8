"""Checks that every page must pass: it fetches nothing, everything has a name and a target, colors contrast.

``HOSTILE`` holds names that try to get out of their place in HTML, in a template, in a script, or in a line of text.
"""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import unquote

from tests.helpers.html_tree import Node

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</script><b>bold</b>",
    "<!-- <script>",
    "{{ 7 * 7 }}{% raw %}",
    "a&amp;b",
    "日本語 🐟 \u2028",
    "\u202eesrever",
    "x" * 300,
    "http://example.org/x.png",
    "]]>",
)

# Elements that can fetch something or send it away.
_FETCHING = {"link", "iframe", "object", "embed", "base", "form"}


def sha256(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def style_of(page: Node) -> str:
    return page.find("style")[0].text


def script_of(page: Node) -> str:
    return page.find("script")[-1].text


def tile(page: Node, title: str) -> Node:
    """Return the tile of the summary with this heading."""
    return next(node for node in page.find() if "tile" in node.classes and node.find("h3")[0].text == title)


def provenance(page: Node) -> dict[str, str]:
    """Return the names and values in the page's footer."""
    footer = page.find("footer")[0]
    pairs = {item.find("dt")[0].text: item.find("dd")[0].text for item in footer.find("div")}
    return pairs | {row.find("th")[0].text: row.find("td")[0].text for row in footer.find("tr")}


def check_nothing_is_fetched_and_only_hashed_code_runs(page: Node) -> None:
    policy = page.find("meta", http_equiv="Content-Security-Policy")[0].attributes["content"] or ""
    style, script = style_of(page), script_of(page)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert f"style-src '{sha256(style)}'" in policy
    assert f"script-src '{sha256(script)}'" in policy
    assert _FETCHING.isdisjoint(node.tag for node in page)
    for node in page:
        assert not any(name == "style" or name.startswith("on") for name in node.attributes)
        assert (node.attributes.get("href") or "#").startswith("#")
        assert (node.attributes.get("src") or "data:image/").startswith("data:image/")
    assert not re.search(r"url\(|@import|https?:", style)
    assert not re.search(r"innerHTML|eval\(|document\.write|fetch\(|XMLHttpRequest|import\(", script)


def check_links_and_references_have_targets(page: Node) -> None:
    ids = [node.attributes["id"] for node in page if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    for node in page:
        if "href" in node.attributes:
            assert unquote((node.attributes["href"] or "").removeprefix("#")) in ids
        for name in (node.attributes.get("aria-labelledby") or "").split():
            assert name in ids


def check_controls_and_graphics_have_names(page: Node) -> None:
    for button in page.find("button"):
        assert button.attributes["type"] == "button"
        # The script writes how many rows more it shows.
        assert button.text.strip() or button.attributes.get("aria-label") or button.attributes.get("id") == "more"
    for graphic in page.find("svg"):
        named = graphic.attributes.get("aria-label") or graphic.attributes.get("aria-labelledby")
        title = any(isinstance(child, Node) and child.tag == "title" for child in graphic.children)
        assert graphic.attributes.get("aria-hidden") == "true" or named or title
    assert page.find("label")[0].find("input")


def check_the_script_finds_its_elements(page: Node) -> None:
    ids = {node.attributes.get("id") for node in page}
    wanted = set(re.findall(r'getElementById\("(.+?)"\)', script_of(page)))
    assert wanted >= {"table", "search", "shown", "more"}
    assert wanted <= ids


def check_nothing_reads_like_a_missing_value(text: str) -> None:
    assert not re.search(r"\b(nan|None|inf|True|False)\b", text)


def themes(style: str) -> list[dict[str, str]]:
    """Return the colors of each theme, light and dark, by the name of their variable."""
    blocks = re.findall(r":root \{([^}]*--paper[^}]*--ink[^}]*)\}", style)
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})[;\s]", block)) for block in blocks]


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colors (WCAG 2.2, "contrast ratio"), 1 to 21."""
    dark, light = sorted((_luminance(first), _luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
