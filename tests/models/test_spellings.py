"""What a user means by a model or an architecture, however it is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cuesense.errors import CuesenseError
from cuesense.models.load import load_classifier
from cuesense.models.spellings import refuse_misspelled, understood
from cuesense.models.trust import Trust


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "own_net.py").write_text("import torch\ndef build():\n    return torch.nn.Conv2d(3, 2, 1)\n")
    (tmp_path / "own_package").mkdir()
    (tmp_path / "weights.pt").write_bytes(b"weights")
    (tmp_path / "own_package" / "module.py").write_text("class Net: ...\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("torchvision.models.resnet18", "torchvision:resnet18"),
        ("torchvision.resnet18", "torchvision:resnet18"),
        ("torchvision/resnet18", "torchvision:resnet18"),
        ("models.resnet18", "torchvision:resnet18"),
        ("models.resnet18(num_classes=3)", "torchvision:resnet18"),
        ("torchvision:resnet18()", "torchvision:resnet18"),
        ("timm/resnet50", "timm:resnet50"),
        ("timm.resnet50.a1_in1k", "timm:resnet50.a1_in1k"),
        ("timm.create_model('resnet50')", "timm:resnet50"),
        ("vit_b_16", "torchvision:vit_b_16"),
        ("vit_tiny_patch16_224", "timm:vit_tiny_patch16_224"),
        ("own_net.py:build", "python:own_net:build"),
        ("./own_net.py:build", "python:own_net:build"),
        ("own_net:build", "python:own_net:build"),
        ("own_net.build", "python:own_net:build"),
        ("python:own_net.py:build", "python:own_net:build"),
        ("python:own_net.build", "python:own_net:build"),
        ("own_package.module.Net", "python:own_package.module:Net"),
        ("own_package/module.py:Net", "python:own_package.module:Net"),
        ("timm:resnet18.a1_in1k", "timm:resnet18.a1_in1k"),
        ("timm:ViT-Tiny-Patch16-224.augreg_in21k", "timm:vit_tiny_patch16_224.augreg_in21k"),
        ("torchvision:ResNet18", "torchvision:resnet18"),
        ("Torchvision:resnet-18@DEFAULT", "torchvision:resnet18@DEFAULT"),
        ("torchvision: resnet18 ", "torchvision:resnet18"),
        ("open_clip:vit-b-32@openai", "open_clip:ViT-B-32@openai"),
        ("HF:Someone/Net", "hf:Someone/Net"),
        ("hf-hub:timm/resnet18.a1_in1k", "timm:hf-hub:timm/resnet18.a1_in1k"),
        ("timm:ResNet50@d.pt", "timm:resnet50@d.pt"),
        ("torchvision:ResNet-19", "torchvision:ResNet-19"),
        ("Python: own_net:build", "python:own_net:build"),
        ("python:elsewhere:build", "python:elsewhere:build"),
    ],
)
def test_what_is_clear_is_understood(written: str, meant: str) -> None:
    assert understood(written, "--arch") == understood(written, "MODEL") == meant


def test_a_path_of_a_function_may_be_absolute(workplace: Path) -> None:
    assert understood(f"{workplace}/own_net.py:build", "--arch") == "python:own_net:build"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("resnet18", "Write torchvision:resnet18 or timm:resnet18."),
        ("resnet18()", "Write torchvision:resnet18 or timm:resnet18."),
        ("resnt18", "Write torchvision:resnet18 or timm:resnet18."),
        ("pkg.module.Class", "For your own code write python:pkg.module:Class, and run from the folder that holds it."),
        ("sub/net.py:build", "Run from its folder, and write python:module:function."),
        ("torchvison:resnet18", "Did you mean 'torchvision'?"),
        ("own_net.py", "got the file 'own_net.py'. Write python:own_net:build."),
        ("own_package/module.py", "got the file 'own_package/module.py'. Write python:own_package.module:Net."),
        (
            "weights.pt",
            "got the file 'weights.pt'. Give the file as MODEL, and the architecture of its weights as",
        ),
        ("microsoft/resnet-18", "Write hf:microsoft/resnet-18 for a network of the Hugging Face hub."),
        (
            "OwnNet",
            "For your own code write python:module:OwnNet, for a library's network such as torchvision:resnet18.",
        ),
        ("build", "Write python:own_net:build."),
        ("timm/resnt50", "For your own code write python:timm:resnt50, and run from the folder that holds it."),
    ],
)
def test_what_is_not_clear_is_answered_with_the_right_spelling(written: str, said: str) -> None:
    with pytest.raises(CuesenseError) as caught:
        refuse_misspelled(None, written)
    assert said in str(caught.value)


def test_a_model_that_is_a_bare_name() -> None:
    with pytest.raises(
        CuesenseError, match=r"which two libraries have\. Write torchvision:resnet18 or timm:resnet18\."
    ):
        refuse_misspelled("resnet18")
    with pytest.raises(CuesenseError, match=r"an existing file or one of .*'gone\.pt'\. Check the path"):
        refuse_misspelled("gone.pt")
    with pytest.raises(CuesenseError, match=r"Check the path, or write hf:google/vit-base for a model of the Hugging"):
        refuse_misspelled("google/vit-base")
    Path("resnet18").write_bytes(b"a file of this name")
    refuse_misspelled("resnet18")


def test_no_library_is_imported_for_an_answer() -> None:
    code = (
        "import sys\nfrom cuesense.models.spellings import refuse_misspelled\n"
        "try:\n    refuse_misspelled('resnet18', 'vit_b_16')\nexcept Exception as error:\n    print(error)\n"
        "print({'torch', 'timm', 'torchvision'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "set()"


def test_what_is_understood_is_said_and_is_still_a_program(caplog: pytest.LogCaptureFixture) -> None:
    assert load_classifier("own_net.py:build").spec == "python:own_net:build"
    assert "MODEL own_net.py:build is read as python:own_net:build." in caplog.text
    with pytest.raises(CuesenseError, match="weights alone, because of weights_only"):
        load_classifier("own_net.py:build", trust=Trust(weights_only=True))
