"""Misspelled architectures are found in the libraries' files, which are read right."""

from __future__ import annotations

import subprocess
import sys

import open_clip
import pytest
import timm
import torchvision

from cuesense.models.names import _tags, is_file, names, path_mode


def test_the_names_are_those_that_the_libraries_tell() -> None:
    assert names("torchvision") == set(torchvision.models.list_models(module=torchvision.models))
    assert names("open_clip") == set(open_clip.list_models())
    assert names("timm") >= set(timm.list_models())
    assert all(timm.is_model(name) for name in names("timm"))


def test_the_tags_of_weights_are_those_that_the_libraries_tell() -> None:
    for name in torchvision.models.list_models(module=torchvision.models):
        assert set(_tags("torchvision")[name]) == set(torchvision.models.get_model_weights(name).__members__)
    found = _tags("timm")
    pretrained = [name.partition(".")[::2] for name in timm.list_pretrained()]
    assert [(name, tag) for name, tag in pretrained if name in found and tag and tag not in found[name]] == []
    assert sum(name in found for name, _ in pretrained) > 1000
    assert _tags("open_clip") == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("'torchvision:resnt18'", "Did you mean 'resnet18'?"),
        ("'timm:resnett18.a1_in1k'", "Did you mean 'resnet18"),
        ("'torchvision:resnet18@IMAGENET_V9'", "Did you mean 'IMAGENET1K_V1'?"),
        ("'timm:resnet18.a9_in1k'", "Did you mean 'resnet18.a"),
        ("'m.pt', 'timm:resnet18.a9_in1k'", "Expected the timm weights to be among those that exist"),
        ("'open_clip:ViT-B-33@laion'", "Did you mean 'ViT-B-32'?"),
        ("'m.pt', 'torchvison:resnet18'", "Did you mean 'torchvision'?"),
        ("'m.pt', 'resnet18'", "Write torchvision:resnet18 or timm:resnet18."),
    ],
)
def test_a_misspelled_name_is_answered_without_importing_a_library(arguments: str, said: str) -> None:
    code = (
        "import sys\nfrom cuesense.models.spellings import refuse_misspelled\n"
        f"try:\n    refuse_misspelled({arguments})\nexcept Exception as error:\n    print(error)\n"
        "print({'torch', 'timm', 'torchvision', 'open_clip'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    sentence, imported = done.stdout.strip().splitlines()
    assert said in sentence
    assert imported == "set()"


@pytest.mark.parametrize(
    "spec",
    [
        "timm:resnet18.a1_in1k",
        "torchvision:resnet18@DEFAULT",
        f"torchvision:resnet18@{__file__}",
        "python:any:thing",
        __file__,
        None,
    ],
)
def test_names_that_exist_and_other_models_pass(spec: str | None) -> None:
    arguments = f"{spec!r}, 'timm:vit_tiny_patch16_224'"
    code = f"from cuesense.models.spellings import refuse_misspelled\nrefuse_misspelled({arguments})"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_path_that_can_be_none_is_no_file() -> None:
    assert [is_file(text) for text in ("a\0b", "x" * 5000, "/dev/null", __file__)] == [False, False, False, True]
    assert path_mode("/no/such/place") == 0
