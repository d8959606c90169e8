"""Which models a search for how to prepare images is made for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cuesense.errors import ModelError
from cuesense.inference.options import RunOptions
from cuesense.types import ClassNames
from cuesense.workflows import model_trial as room
from cuesense.workflows.model_trial import try_model
from cuesense.workflows.readings import try_readings
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
    found, outputs = try_model("torchvision:x", given, Colors(), OUTPUTS, RUN)
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
    try_model(model, replace(classifier(), **changes), Colors(), OUTPUTS, RUN)  # type: ignore[arg-type]
    assert len(searches) == 2


@pytest.mark.parametrize("guessed", [frozenset({"mean"}), frozenset({"mean", "class_names"})])
def test_outputs_that_fit_no_classes_are_refused_before_a_search(
    searches: list[object], guessed: frozenset[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cuesense.workflows.readings.find_readings", room.find_readings)
    model = classifier(Meanest(5), guessed=guessed)
    said = "number of the model's outputs to be 3, one for each class, but got 5"
    with pytest.raises(ModelError, match=said):
        try_model("weights.pt", model, Colors(), OUTPUTS, RUN)
    with pytest.raises(ModelError, match=said):
        try_readings(model, Colors(), OUTPUTS, RUN)
    assert searches == []


def test_a_search_knows_which_outputs_the_classes_are(searches: list[object]) -> None:
    # Folders 0, 2 and 4 of a network with five outputs.
    data = Colors(class_names=("0", "2", "4"))
    model = classifier(Meanest(5), guessed=frozenset({"mean", "class_names"}), class_names=ClassNames(("0", "2", "4")))
    _, outputs = try_model("weights.pt", model, data, OUTPUTS, RUN)
    assert outputs == (0, 2, 4)
    assert [call[2] for call in searches] == [(0, 2, 4)] * 2  # type: ignore[index]


def test_another_order_of_the_outputs_is_searched_again(
    searches: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = (2, 1, 0)
    monkeypatch.setattr(room, "settle", lambda model, _data, _outputs, _count, _run: (model, turned))
    _, outputs = try_model("weights.pt", classifier(guessed=frozenset({"mean"})), Colors(), OUTPUTS, RUN)
    assert outputs == turned
    assert [call[2] for call in searches] == [OUTPUTS] * 2 + [turned] * 2  # type: ignore[index]
