import pytest

from cuesense.reports.html.links import class_address, class_id, class_name, link, with_links
from cuesense.reports.text import quoted
from tests.helpers.page_checks import HOSTILE


@pytest.mark.parametrize(
    ("name", "address"),
    [("lemon", "#class=lemon"), ("mud turtle", "#class=mud%20turtle"), ("a/b?c#d", "#class=a%2Fb%3Fc%23d")],
)
def test_an_address_is_encoded_and_an_id_is_not(name, address):
    assert class_address(name) == address
    assert class_id(name) == f"class={name}"


def test_quoted_names_become_links_and_the_longest_name_wins():
    found = with_links("'sea lion' loses to 'lion' & 'cat'.", ["lion", "sea lion"])
    assert found == f"{link('sea lion')} loses to {link('lion')} &amp; &#39;cat&#39;."


@pytest.mark.parametrize(
    ("name", "element"),
    [
        ("sea lion", "<bdi>sea lion</bdi>"),
        ("shape-2", '<bdi><span class="whole">shape-2</span></bdi>'),
        ("black-and-white colobus", '<bdi><span class="whole">black-and-white</span> colobus</bdi>'),
        (f"{'x' * 16}-y", f"<bdi>{'x' * 16}-y</bdi>"),
        ("<a>-</a>", "<bdi>&lt;a&gt;-&lt;/a&gt;</bdi>"),
    ],
)
def test_words_with_a_hyphen_stay_whole_and_are_text(name, element):
    assert class_name(name) == element


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name):
    found = with_links(f"{quoted(name)} loses.", [name])
    assert found == f"{link(name)} loses."
    assert "<script" not in found
    assert found.count("<") == 4


def test_without_names_nothing_is_linked():
    assert with_links("'a' < b", []) == "&#39;a&#39; &lt; b"
    assert with_links("''", [""]) == "&#39;&#39;"
