"""Which models a search for how to prepare images is made for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cuesense.inference.options import RunOptions
from cuesense.workflows import prepared as room
from cuesense.workflows.prepared import prepared
from tests.helpers.small_networks import Colors, Meanest, classifier

OUTPUTS, RUN = (0, 1, 2), RunOptions(batch_size=8, workers=1)


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Count searches, each of which finds nothing to change."""
    calls: list[object] = []
    monkeypatch.setattr(room, "find_readings", lambda *given, **_more: calls.append(given))
    return calls


def test_a_librarys_own_weights_are_not_searched(searches: list[object]) -> None:
    # The preprocessing is all the library's word, and no file is the user's.
    given = replace(classifier(), sha256=None, guessed=frozenset({"class_names"}))
    found, outputs = prepared("torchvision:x", given, Colors(), OUTPUTS, RUN)
    assert searches == []
    assert found.preprocessing == given.preprocessing
    assert outputs == OUTPUTS


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        ("weights.pt", {"sha256": "0" * 64, "guessed": frozenset()}),
        (Meanest(), {"sha256": None, "guessed": frozenset()}),
        ("python:x:y", {"sha256": None, "guessed": frozenset({"mean"})}),
    ],
)
def test_a_users_own_weights_are_tried_again_after_the_probe(
    searches: list[object], model: object, changes: dict[str, object]
) -> None:
    prepared(model, replace(classifier(), **changes), Colors(), OUTPUTS, RUN)  # type: ignore[arg-type]
    assert len(searches) == 2
