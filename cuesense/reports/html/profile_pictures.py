"""The pictures of a profile's page: what the model answers on images of every class, clean and perturbed, as JSON."""

from __future__ import annotations

import base64
from typing import Any

from cuesense.reports.html.profile_data import pixels_at
from cuesense.reports.pictures import Picture, Pictures, Strip
from cuesense.reports.profile_text import value_text
from cuesense.reports.text import readable_name
from cuesense.schemas.profile import CurveModel, Profile

# Bytes that all pictures of a page may take as text, so that a page of 1,000 classes with its numbers stays under 8 MB.
MOST_BYTES = 4_000_000


def picture_data(profile: Profile, pictures: Pictures) -> dict[str, Any]:
    """Return the pictures as the page's script shows them.

    Args:
        profile: The profile.
        pictures: Strips by the position of the class, the most telling strip first.

    Returns:
        ``strips`` by the class's position: [title, clean picture, pictures]; a picture is [value, image in base64,
        answer, probability, whether it is right, rival, its probability]. Where an earlier strip of the class has the
        same clean picture, its number stands instead. Every class gets the same room; ``left_out`` counts the strips
        that found none. The first strip of a class is always there.
    """
    room = MOST_BYTES // max(len(profile.classes), 1)
    curves = {curve.perturbation: curve for curve in profile.curves}
    shown: dict[str, list[list[Any]]] = {}
    left_out = 0
    for at, strips in sorted(pictures.items()):
        kept: list[list[Any]] = []
        used = 0
        for strip in strips:
            title, clean, tiles = _strip(strip, curves.get(strip.perturbation))
            known = next((number for number, (_, other, _) in enumerate(kept) if other == clean), None)
            size = sum(len(tile[1]) for tile in ([clean, *tiles] if known is None else tiles))
            if kept and used + size > room:
                left_out += 1
                continue
            used += size
            kept.append([title, clean if known is None else known, tiles])
        shown[str(at)] = kept
    return {"strips": {at: kept for at, kept in shown.items() if kept}, "left_out": left_out}


def _strip(strip: Strip, curve: CurveModel | None) -> list[Any]:
    return [readable_name(strip.perturbation), _tile(strip.clean, None), [_tile(tile, curve) for tile in strip.tiles]]


def _tile(picture: Picture, curve: CurveModel | None) -> list[Any]:
    answer = picture.answer
    unit = "" if curve is None else curve.unit
    value = value_text(picture.value, unit, pixels_at(curve, picture.severity)) if picture.severity else "clean"
    image = base64.b64encode(picture.image).decode()
    return [
        value,
        image,
        answer.name,
        _rounded(answer.probability),
        answer.right,
        answer.rival,
        _rounded(answer.rival_probability),
    ]


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 3)
