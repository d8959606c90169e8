"""Pictures of a page: noise of every class under every augmentation, with made-up answers."""

from __future__ import annotations

import numpy as np

from cuesense.reports.pictures import Answer, Picture, Pictures, Strip, encode
from cuesense.schemas.profile import CurveModel, Profile
from cuesense.types import Role


def noise_pictures(profile: Profile, *, strips: int = 3, side: int = 48, quality: int = 40) -> Pictures:
    """Return strips of every class that has images: right when clean, wrong from the second severity on."""
    curves = [curve for curve in profile.curves if curve.role is Role.AUGMENTATION][:strips]
    return {
        at: [_strip(profile, at, curve, side, quality) for curve in curves]
        for at, entry in enumerate(profile.classes)
        if entry.images
    }


def _strip(profile: Profile, at: int, curve: CurveModel, side: int, quality: int) -> Strip:
    random = np.random.default_rng([at, len(curve.perturbation)])
    pixels = np.kron(random.integers(0, 256, (6, 6, 3), dtype=np.uint8), np.ones((8, 8, 1), dtype=np.uint8))
    clean, *tiles = (
        _picture(profile, at, severity, value, encode(pixels // (severity + 1), side, quality))
        for severity, value in enumerate([0.0, *curve.values])
    )
    return Strip(curve.perturbation, clean, tuple(tiles))


def _picture(profile: Profile, at: int, severity: int, value: float, image: bytes) -> Picture:
    own, other = profile.classes[at].name, profile.classes[(at + 1) % len(profile.classes)].name
    right = severity < 2
    names = (own, other) if right else (other, own)
    return Picture(f"{own}/0.png", severity, value, image, Answer(names[0], 0.81, right, names[1], 0.12))
