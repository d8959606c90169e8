import base64
from dataclasses import replace

from cuesense.reports.html import profile_pictures
from cuesense.reports.html.profile_pictures import picture_data
from tests.helpers.page_pictures import noise_pictures
from tests.helpers.profiles import profile


def test_pictures_carry_value_answer_and_rival():
    source = profile(3, empty=1)
    pictures = noise_pictures(source)
    found = picture_data(source, pictures)
    assert found["left_out"] == 0
    assert set(found["strips"]) == {"0", "1"}
    title, clean, tiles = found["strips"]["0"][0]
    assert title == "random resized crop"
    assert clean[0] == "clean"
    assert clean[2:] == ["tench", 0.81, True, "barn spider", 0.12]
    assert [tile[0] for tile in tiles] == ["0.7", "0.4", "0.2", "0.08"]
    assert [tile[4] for tile in tiles] == [True, False, False, False]
    assert base64.b64decode(tiles[2][1]) == pictures[0][0].tiles[2].image


def test_values_are_in_the_unit_of_the_curve_and_in_pixels():
    source = profile(2)
    found = picture_data(source, noise_pictures(source))
    assert found["strips"]["0"][2][2][0][0] == "0.45\N{NO-BREAK SPACE}% (1\N{NO-BREAK SPACE}px)"


def test_every_class_has_the_same_room_and_keeps_its_first_strip(monkeypatch):
    source = profile(4)
    pictures = noise_pictures(source)
    sizes = {at: [size(strip) for strip in strips] for at, strips in picture_data(source, pictures)["strips"].items()}
    first_two = max(sum(of_class[:2]) for of_class in sizes.values())
    monkeypatch.setattr(profile_pictures, "MOST_BYTES", 4 * first_two)
    found = picture_data(source, pictures)
    assert [len(strips) for strips in found["strips"].values()] == [2, 2, 2, 2]
    assert found["left_out"] == 4
    monkeypatch.setattr(profile_pictures, "MOST_BYTES", 4)
    assert [len(strips) for strips in picture_data(source, pictures)["strips"].values()] == [1, 1, 1, 1]


def test_a_clean_picture_that_several_strips_show_is_there_once(monkeypatch):
    source = profile(1)
    first, second, third = noise_pictures(source)[0]
    again = replace(third, clean=second.clean)
    (strips,) = picture_data(source, {0: [first, second, again]})["strips"].values()
    assert strips[0][1] != strips[1][1]
    assert strips[2][1] == 1
    assert strips[2][2] == picture_data(source, {0: [third]})["strips"]["0"][0][2]
    # It takes no room a second time.
    needed = size(strips[0]) + size(strips[1]) + sum(len(tile[1]) for tile in strips[2][2])
    for room, shown in ((needed, 3), (needed - 1, 2)):
        monkeypatch.setattr(profile_pictures, "MOST_BYTES", room)
        assert len(picture_data(source, {0: [first, second, again]})["strips"]["0"]) == shown


def size(strip) -> int:
    return sum(len(tile[1]) for tile in (strip[1], *strip[2]))
