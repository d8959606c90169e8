"""Stands in for ``cuesense.reports.headline`` until that is merged."""

from __future__ import annotations

from dataclasses import dataclass

from cuesense.schemas.profile import Profile


@dataclass(frozen=True)
class Headline:
    """What a profile shows, in sentences."""

    findings: tuple[str, ...]
    advice: str
    measured: str
    surer: tuple[str, ...]
    command: str


def headline(profile: Profile) -> Headline:
    """Return what a profile shows, in sentences."""
    dataset = profile.provenance.dataset
    return Headline(
        ("Findings are written elsewhere.",),
        "Advice is written elsewhere.",
        f"Measured on {dataset.images:,} images of {dataset.classes:,} classes.",
        (),
        "cuesense recommend cuesense-out",
    )
