"""From MODEL to a Classifier: modules in memory, the user's own code, and mistakes with them."""

import copy
import json
import subprocess
import sys

import pytest
import torch

import cuesense.models
from cuesense.errors import ModelError, first_line
from cuesense.models.load import load_classifier, wrap_module
from cuesense.models.preprocessing import ImageOptions
from cuesense.types import ClassNames, Preprocessing

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def test_a_wrapped_module_is_a_copy_ready_to_run(tiny, images):
    module = copy.deepcopy(tiny).train()
    names = ClassNames(("a", "b", "c", "d", "e"))
    classifier = wrap_module(module, class_names=names, images=ImageOptions(32, 40, MEAN, STD))
    assert (classifier.spec, classifier.architecture) == ("python:Sequential", "Sequential")
    assert classifier.preprocessing == Preprocessing((32, 32), 40, MEAN, STD)
    assert (classifier.class_names, classifier.sha256, classifier.warnings) == (names, None, ())
    with torch.inference_mode():
        assert torch.equal(classifier.network(images), tiny(images))
    assert not any(value.requires_grad for value in classifier.network.parameters())
    assert module.training
    assert all(value.requires_grad for value in module.parameters())


def test_a_wrapped_module_takes_images_as_they_come(tiny):
    classifier = wrap_module(tiny.double())
    assert classifier.preprocessing == Preprocessing(None, None, MEAN, STD)
    assert len(classifier.warnings) == 1
    assert classifier.guessed == {"mean", "std", "channels"}
    assert wrap_module(tiny, images=ImageOptions(mean=MEAN)).guessed == {"std", "channels"}
    assert wrap_module(tiny, images=ImageOptions(mean=MEAN, std=STD)).warnings == ()
    assert {value.dtype for value in classifier.network.parameters()} == {torch.float32}
    assert {value.dtype for value in tiny.parameters()} == {torch.float64}


def test_an_exported_module_can_be_wrapped(tiny, images):
    exported = torch.export.export(tiny, (images,)).module()
    assert torch.allclose(wrap_module(exported).network(images), tiny(images), atol=1e-6)


def test_the_users_factory_is_called(factory_module, images):
    names = ClassNames(("a", "b", "c", "d", "e"))
    classifier = load_classifier(factory_module, class_names=names, images=ImageOptions(16))
    assert classifier.network(images).shape == (2, 5)
    assert (classifier.spec, classifier.architecture) == (factory_module, "tiny_factory:build")
    assert (classifier.class_names, classifier.sha256) == (names, None)
    assert len(classifier.warnings) == 2
    assert classifier.guessed == {"resize", "mean", "std", "interpolation", "channels"}


@pytest.mark.parametrize("beside", [False, True])
def test_names_that_a_file_of_weights_says_are_those_of_its_outputs(factory_module, tiny, tmp_path, beside):
    names = ("e", "d", "c", "b", "a")
    held = {} if beside else {"class_to_idx": {name: place for place, name in enumerate(names)}}
    torch.save({"model": tiny.state_dict(), **held}, tmp_path / "best.pt")
    if beside:
        (tmp_path / "best.json").write_text(json.dumps({"class_names": names}))
    found = load_classifier(str(tmp_path / "best.pt"), arch=factory_module)
    assert found.class_names == ClassNames(names)
    assert any("names the 5 outputs: 'e', 'd', 'c' and 2 more" in said for said in found.assumptions)
    # The user's names win.
    given = ClassNames(("v", "w", "x", "y", "z"))
    found = load_classifier(str(tmp_path / "best.pt"), arch=factory_module, class_names=given)
    assert found.class_names == given
    assert not any("names the 5 outputs" in said for said in found.assumptions)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tiny_factory", "a module and the name of a function"),
        ("tiny_factory:", "a module and the name of a function"),
        ("tiny_factory:biuld", "a function 'biuld' in tiny_factory.*Did you mean 'build'"),
        ("tiny_factory:number", "a function 'number' in tiny_factory"),
        ("tiny_factory:broken", "but got ValueError: no such width. Call it yourself"),
        ("tiny_factory:quits", "but got SystemExit: 7"),
        ("tiny_factory:wrong", "an nn.Module, but got an object of type str"),
        ("no_such_module_at_all:build", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
    ],
)
@pytest.mark.usefixtures("factory_module")
def test_mistakes_with_a_factory_are_one_sentence(name, message):
    with pytest.raises(ModelError, match=message) as caught:
        load_classifier(f"python:{name}")
    assert "\n" not in str(caught.value)


def test_arch_is_for_files():
    with pytest.raises(ModelError, match="arch to be left out with timm:test_vit"):
        load_classifier("timm:test_vit", arch="timm:test_vit")


def test_first_lines_are_short_and_never_empty():
    assert first_line(ValueError("one.\ntwo")) == "one"
    assert first_line(KeyError()) == "KeyError"
    assert len(first_line("x" * 999)) == 200


def test_the_package_is_light_and_has_two_entries():
    code = "import sys, cuesense.models; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = cuesense.models.other
