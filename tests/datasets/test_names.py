"""One rule for comparing names, whatever Unicode form, case or blanks they have."""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.datasets.names import NameIndex, composed, loose_key, one_spelling, refuse_same, respelled
from cuesense.errors import DatasetError, SettingsError

FORMS = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])
NAMES = st.text("aeioué\u0301\u0308ñßÅ\u212b Kk_-+1\u00a0\ufb01\uff21\u0130", min_size=1, max_size=8)


@given(st.text(max_size=12), FORMS)
def test_every_unicode_form_has_one_key(name, form):
    assert loose_key(normalize(form, name)) == loose_key(name)
    assert loose_key(name.casefold()) == loose_key(name)
    assert loose_key(loose_key(name)) == loose_key(name)


@given(NAMES)
def test_blanks_around_and_between_do_not_count(name):
    assert loose_key(f"\u00a0 {name} \t") == loose_key(name)
    assert loose_key(name.replace(" ", "__ ")) == loose_key(name)


@pytest.mark.parametrize("pair", [("C", "C++"), ("a-b", "a b"), ("1", "-1"), ("e", "é"), ("<5", ">5")])
def test_punctuation_and_accents_count(pair):
    assert loose_key(pair[0]) != loose_key(pair[1])


@pytest.mark.parametrize(
    "pair", [("Straße", "STRASSE"), ("\ufefflemon", "lemon"), ("le\u00admon", "Lemon"), ("ﬁg", "fig")]
)
def test_names_that_look_alike_are_one(pair):
    assert loose_key(pair[0]) == loose_key(pair[1])


@given(st.lists(NAMES, min_size=1, max_size=8, unique=True), FORMS, st.data())
def test_a_name_of_the_list_is_found_in_every_form_or_several_are(names, form, data):
    place = data.draw(st.integers(0, len(names) - 1))
    index = NameIndex(names)
    assert index.places(names[place]) == (place,)
    assert (
        place in index.places(normalize(form, names[place]))
        or form in ("NFKC", "NFKD")
        or composed(names[place]) in map(composed, names[:place] + names[place + 1 :])
    )


class TestIndex:
    def test_the_strictest_rule_decides(self):
        index = NameIndex(["Lemon", "lemon", "caf\u00e9", "CAF\u00c9", "school bus"])
        wanted = {"lemon": 1, "Lemon": 0, "cafe\u0301": 2, "CAFE\u0301": 3, "School_Bus": 4, "lime": None, "": None}
        assert {name: index.find(name, "x") for name in wanted} == wanted

    def test_what_may_be_two_is_refused_by_name(self):
        with pytest.raises(SettingsError) as caught:
            NameIndex(["Lemon", "lemon"]).find("LEMON", "each class of 'g.csv'", SettingsError)
        assert str(caught.value) == (
            "Expected each class of 'g.csv' to be the name of one class, but got 'LEMON', which may be 'Lemon' or "
            "'lemon'. Spell it exactly as one of them."
        )

    def test_names_are_matched_one_to_one(self):
        index = NameIndex(["lemon", "caf\u00e9", "x"])
        assert index.match(["X", "Lemon", "cafe\u0301"]) == [2, 0, 1]
        assert index.match(["Lemon", "lemon"]) == [None, 0]
        assert index.match(["Lemon", "LEMON"]) == [None, None]
        assert NameIndex(["A", "a"]).match(["a", "A"]) == [1, 0]


class TestSpellings:
    def test_the_commonest_spelling_stands_for_all(self):
        counts = {"Lemon": 3, "lemon": 5, "cafe\u0301": 1, "caf\u00e9": 1}
        called = one_spelling(counts, lambda _: False)
        assert called == {"Lemon": "lemon", "lemon": "lemon", "cafe\u0301": "caf\u00e9", "caf\u00e9": "caf\u00e9"}

    def test_what_is_apart_stays_so_but_for_its_unicode_form(self):
        called = one_spelling({"Lemon": 1, "lemon": 1, "E\u0301": 1, "\u00e9": 1}, lambda _: True)
        assert called == {"Lemon": "Lemon", "lemon": "lemon", "E\u0301": "\u00c9", "\u00e9": "\u00e9"}

    def test_several_spellings_are_said(self):
        values, remarks = respelled(["Lemon", "lemon", "lemon", "x"], lambda _: False, "class")
        assert values == ["lemon", "lemon", "lemon", "x"]
        assert len(remarks) == 1
        assert "'lemon' and 'Lemon'. Where" in remarks[0]
        assert (
            "'caf\u00e9' in two Unicode forms" in respelled(["caf\u00e9", "cafe\u0301"], lambda _: False, "run")[1][0]
        )

    @pytest.mark.parametrize("values", [["a", "b"], ["cafe\u0301", "cafe\u0301"], []])
    def test_one_spelling_each_is_no_remark(self, values):
        assert respelled(values, lambda _: False, "class") == ([composed(value) for value in values], [])


def test_the_same_name_twice_is_refused():
    refuse_same(["a", "A"], "the classes", "Rename one")
    with pytest.raises(DatasetError, match=r"'é' 2 times \(in different Unicode forms\)\. Rename one\."):
        refuse_same(["e\u0301", "\u00e9"], "the classes", "Rename one")
