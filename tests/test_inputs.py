"""How benchmarks/inputs.py judges an answer, and that every kind is named once."""

import importlib
from types import SimpleNamespace

import pytest

from benchmarks import inputs
from benchmarks.inputs_world import Kind, Right, either, refused, told, warned, works


def judged(right: Right, code: int, text: str, accuracy: float | None = None) -> str:
    kind = Kind("weights", "some", right, lambda _place: [])
    place = SimpleNamespace(truth=0.9, tolerance=1e-6)
    return inputs._judged(kind, place, code, text, accuracy)[0]


@pytest.mark.parametrize(
    ("right", "code", "text", "accuracy", "outcome"),
    [
        (works(), 0, "", 0.9, "works"),
        (works(), 0, "", 0.8, "silently wrong"),
        (works(), 0, "Another reading is far better.", 0.8, "wrong, said"),
        (works(), 0, "", None, "silently wrong"),
        (works("val"), 0, "Taken: val.", 0.9, "works"),
        (works("val"), 0, "", 0.9, "unsaid"),
        (told("heic"), 0, "", 0.9, "silently wrong"),
        (told("heic"), 0, "12 HEIC files were left out.", 0.9, "works"),
        (warned("--mean"), 0, "Pass --mean 0.5,0.5,0.5.", 0.1, "right warning"),
        (warned("--mean"), 0, "", 0.1, "silently wrong"),
        (warned("--mean"), 0, "", 0.9, "works"),
        (works(), 2, "no", None, "refused, can work"),
        (either("onnx"), 2, "ONNX", None, "right refusal"),
        (either("onnx"), 2, "no", None, "misleading"),
        (refused("onnx", "export"), 2, "ONNX: export it", None, "right refusal"),
        (refused("onnx", "export"), 2, "ONNX", None, "misleading"),
        (refused("onnx"), 0, "", 0.9, "silently wrong"),
        (refused("onnx"), 0, "ONNX", 0.9, "wrong, said"),
        (works(), 1, "ValueError", None, "traceback"),
        (refused("a"), 124, "a", None, "traceback"),
    ],
)
def test_judged(right: Right, code: int, text: str, accuracy: float | None, outcome: str) -> None:
    assert judged(right, code, text, accuracy) == outcome


def test_kinds_have_names_of_their_own() -> None:
    files = [importlib.import_module(f"benchmarks.inputs_{name}") for name in (*inputs._FILES, "unseen")]
    kinds = [kind for file in files for kind in file.KINDS]
    names = [(kind.part, kind.name) for kind in kinds]
    assert len(names) == len(set(names))
    assert len(names) > 600
    assert {kind.part for kind in kinds} == {"weights", "formats", "readings", "readers", "layouts"}
