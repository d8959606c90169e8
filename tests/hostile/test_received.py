"""Programs that a received list of runs or profile names run only where code is allowed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

import cuesense
from cuesense.errors import CuesenseError, ModelError
from cuesense.models import trust
from cuesense.models.load import load_classifier
from cuesense.models.trust import OWN_WORD, Trust
from tests.helpers.good_models import good_models, small_network

GOOD = "python:tests.helpers.good_models:small_network"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what earlier tests named."""
    monkeypatch.setattr(trust, "_typed", set())


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of runs whose author also left a module, and images."""
    (tmp_path / "evil.py").write_text("open('pwned', 'w').close()\ndef build(): ...\n")
    torch.save(small_network().state_dict(), tmp_path / "weights.pt")
    for name in ("a", "b", "c", "d"):
        (tmp_path / "images" / name).mkdir(parents=True)
        Image.new("RGB", (16, 16)).save(tmp_path / "images" / name / "1.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listed(*rows: str) -> str:
    Path("runs.csv").write_text("\n".join(("model,strength,seed,arch", *rows)))
    return "runs.csv"


@pytest.mark.parametrize("job", [cuesense.audit, cuesense.transfer])
@pytest.mark.parametrize("row", ["python:evil:build,0,0,", "weights.pt,0,0,python:evil:build"])
def test_a_list_of_runs_runs_nobodys_code(workplace: Path, job: object, row: str) -> None:
    more = "weights.pt,1,0,python:evil:build"
    if job is cuesense.transfer:
        for name in ("a", "b", "c", "d"):
            for number in range(2, 7):
                Image.new("RGB", (16, 16), (number, 0, 0)).save(workplace / "images" / name / f"{number}.png")
    with pytest.raises(ModelError, match=r"named in 'runs\.csv' to be weights alone.*allow_code"):
        job(listed(row, more), "images", image_size=16)  # type: ignore[operator]
    assert not Path("pwned").exists()
    assert "evil" not in sys.modules


@pytest.mark.parametrize("kind", ["TorchScript", "torch.export"])
def test_programs_in_files_count_as_code_too(tmp_path: Path, kind: str) -> None:
    path = str(good_models(tmp_path)[kind])
    received = OWN_WORD.named_in("runs.csv", arch=False)
    with pytest.raises(ModelError, match="a program that would run with your rights"):
        load_classifier(path, trust=received)
    assert load_classifier(path, trust=Trust(allow_code=True).named_in("runs.csv", arch=False)).architecture == kind


def test_an_architecture_that_the_user_types_runs_with_received_weights(workplace: Path) -> None:
    path = str(workplace / "weights.pt")
    assert load_classifier(path, arch=GOOD, trust=OWN_WORD.named_in("runs.csv", arch=False)).sha256
    trust._typed.clear()
    with pytest.raises(CuesenseError, match="allow_code"):
        load_classifier(path, arch=GOOD, trust=OWN_WORD.named_in("runs.csv", arch=True))
    with pytest.raises(CuesenseError, match="allow_code"):
        load_classifier(f"{GOOD}@{path}", trust=OWN_WORD.named_in("runs.csv", arch=False))
