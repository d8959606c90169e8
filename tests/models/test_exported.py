"""Archives that carry their own code: torch.export and TorchScript."""

import copy
import json
import logging
import os
import pickle
import warnings
import zipfile
from contextlib import suppress

import pytest
import torch
from torch import nn

from cuesense.errors import ModelError
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import probe
from cuesense.models.load import load_classifier
from tests.helpers.small_networks import Colors


def export(network, path, batch=2, size=16, dynamic=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(network, (torch.rand(batch, 3, size, size),), dynamic_shapes=dynamic)
        torch.export.save(program, path)
    return path


def script(network, path, trace=False, freeze=False):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.trace(network, torch.rand(2, 3, 16, 16)) if trace else torch.jit.script(network)
        scripted = torch.jit.freeze(scripted) if freeze else scripted
        scripted.save(str(path))
    return path


def dynamic_export(network, path):
    return export(
        network,
        path,
        dynamic=(
            {0: torch.export.Dim("batch"), 2: torch.export.Dim("side", min=8), 3: torch.export.Dim("wide", min=8)},
        ),
    )


def rewritten(path, change):
    """Write the archive again with each member's bytes passed through ``change(name, bytes)``, which may drop it."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, change(name, data))
    return path


def with_graph(path, edit):
    def change(name, data):
        return edit(data.decode()).encode() if "/models/" in name else data

    return rewritten(path, change)


def with_formula(text, code):
    return json.dumps(json.loads(text, object_hook=lambda d: d | {"expr_str": code} if "expr_str" in d else d))


class Attack:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_a_static_export_tells_its_batch_and_size(tmp_path, tiny, same):
    classifier = load_classifier(str(export(tiny, tmp_path / "m.bin", batch=2)))
    assert (classifier.fixed_batch, classifier.preprocessing.image_size) == (2, (16, 16))
    assert classifier.preprocessing.resize == 18
    assert classifier.architecture == "torch.export"
    assert same(classifier.network)


def test_a_static_export_refuses_other_batches(tmp_path, tiny):
    classifier = load_classifier(str(export(tiny, tmp_path / "m.pt2", batch=2)))
    with pytest.raises(Exception, match=r"shape|size|dim"):
        classifier.network(torch.rand(3, 3, 16, 16))


def test_a_dynamic_export_takes_any_batch_and_size(tmp_path, tiny, images, same):
    classifier = load_classifier(str(dynamic_export(tiny, tmp_path / "m.pt2")))
    assert (classifier.fixed_batch, classifier.preprocessing.image_size) == (None, (224, 224))
    assert same(classifier.network)
    assert torch.allclose(classifier.network(images[:1]), tiny(images[:1]), atol=1e-6)
    assert classifier.network(torch.rand(5, 3, 20, 24)).shape == (5, 5)


def test_exports_and_scripts_can_be_sent_into_evaluation_mode_and_moved(tmp_path, tiny):
    files = [
        export(tiny, tmp_path / "m.pt2"),
        script(tiny, tmp_path / "m.pt"),
        script(tiny, tmp_path / "t.pt", trace=True),
    ]
    for path in files:
        network = load_classifier(str(path)).network
        assert not network.eval().training
        assert not any(parameter.requires_grad for parameter in network.parameters())
        network.to(torch.float64)
        assert all(value.dtype == torch.float64 for value in network.parameters())
        assert network(torch.rand(2, 3, 16, 16, dtype=torch.float64)).dtype == torch.float64


class LastFirst(nn.Module):
    """A network of images whose channels come last."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network(images.permute(0, 3, 1, 2))


@pytest.mark.parametrize("dynamic", [None, {0: torch.export.Dim("batch")}])
def test_an_export_of_images_with_their_channels_last_is_run_so(tmp_path, tiny, same, images, dynamic):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        last = images.permute(0, 2, 3, 1).contiguous()
        program = torch.export.export(LastFirst(tiny), (last,), dynamic_shapes=None if dynamic is None else (dynamic,))
        torch.export.save(program, tmp_path / "last.pt2")
    found = load_classifier(str(tmp_path / "last.pt2"))
    assert found.preprocessing.image_size == (16, 16)
    data = Colors(size=16, class_names=tuple("abcde"))
    tried = probe(found, data, RunOptions("cpu", batch_size=2)).applied(found)
    assert same(tried.network)
    assert any("(N, H, W, C)" in said for said in tried.assumptions)


def test_an_export_in_training_mode_is_refused(tmp_path, tiny):
    for network in (copy.deepcopy(tiny).train(), nn.Sequential(tiny, nn.Dropout().train())):
        with pytest.raises(ModelError, match=r"exported in evaluation mode.*model.eval\(\)"):
            load_classifier(str(export(network, tmp_path / "m.pt2")))


def test_an_export_of_something_else_is_refused(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(nn.Linear(3, 2), (torch.rand(4, 3),)), tmp_path / "flat.pt2")
        torch.export.save(
            torch.export.export(nn.Bilinear(3, 3, 2), (torch.rand(4, 3), torch.rand(4, 3))), tmp_path / "two.pt2"
        )
    with pytest.raises(ModelError, match=r"one batch of RGB images, but got one for inputs of shape \(4, 3\)"):
        load_classifier(str(tmp_path / "flat.pt2"))
    with pytest.raises(ModelError, match="one input, but got one with 2 inputs"):
        load_classifier(str(tmp_path / "two.pt2"))


def test_loading_says_nothing_of_its_own(tmp_path, tiny, caplog, recwarn):
    paths = [export(tiny, tmp_path / "m.pt2").rename(tmp_path / "no-suffix"), script(tiny, tmp_path / "scripted")]
    with caplog.at_level(logging.WARNING):
        for path in paths:
            load_classifier(str(path))
    said = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert all("is a program: it runs with your rights" in message for message in said)
    assert not recwarn.list


@pytest.mark.parametrize("kind", ["scripted", "traced", "frozen"])
def test_torchscript_answers_as_the_module(tmp_path, tiny, same, kind):
    path = script(tiny, tmp_path / "m.bin", trace=kind == "traced", freeze=kind == "frozen")
    classifier = load_classifier(str(path))
    assert same(classifier.network)
    assert classifier.architecture == "TorchScript"
    assert len(classifier.warnings) == 2


def test_a_script_saved_in_training_mode_comes_back_in_evaluation_mode(tmp_path, tiny, same):
    path = script(tiny.train(), tmp_path / "m.pt")
    tiny.eval()
    assert same(load_classifier(str(path)).network)


def test_arch_takes_the_weights_out_of_an_export_or_a_script(tmp_path, tiny, same, factory_module):
    for path in (export(tiny, tmp_path / "m.pt2"), script(tiny, tmp_path / "m.pt")):
        classifier = load_classifier(str(path), arch=factory_module)
        assert same(classifier.network)
        assert classifier.fixed_batch is None


def sample_inputs(target):
    payload = pickle.dumps(Attack(f"touch {target}"), protocol=2)

    def change(name, data):
        return payload if "sample_inputs" in name else data

    return lambda path: rewritten(path, change)


def tensor_name(target):
    code = f"x=__import__('os').system('touch {target}')"

    def rename(entry):
        renamed = {"name": code} if entry == {"name": "input"} else entry
        return {code if key == "input" else key: value for key, value in renamed.items()}

    return lambda path: with_graph(path, lambda text: json.dumps(json.loads(text, object_hook=rename)))


def formula(target):
    code = f"__import__('os').system('touch {target}')"

    return lambda path: with_graph(path, lambda text: with_formula(text, code))


def indirect_formula(target):
    code = f'S(\'__import__("os").system("touch {target}")\')'

    return lambda path: with_graph(path, lambda text: with_formula(text, code))


def guard(target):
    code = f"__import__('os').system('touch {target}') == 0"
    return lambda path: with_graph(path, lambda text: json.dumps(json.loads(text) | {"guards_code": [code]}))


def pickled_weight(target):
    payload = pickle.dumps(Attack(f"touch {target}"), protocol=2)

    def change(name, data):
        if name.endswith("weights_config.json"):
            return data.replace(b'"use_pickle": false', b'"use_pickle": true')
        return payload if "data/weights/weight_" in name else data

    return lambda path: rewritten(path, change)


def opaque_object(target):
    payload = pickle.dumps(Attack(f"touch {target}"), protocol=2)
    entry = {"config": {"o": {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": True, "tensor_meta": None}}}

    def attack(path):
        def change(name, data):
            return json.dumps(entry).encode() if name.endswith("constants_config.json") else data

        rewritten(path, change)
        with zipfile.ZipFile(path, "a") as archive:
            root = archive.namelist()[0].partition("/")[0]
            archive.writestr(f"{root}/data/constants/opaque_obj_0", payload)
        return path

    return attack


def bracketed_name(target):
    """A name without round brackets, which lands in generated Python all the same."""
    code = f"x=[__import__.__class__ for _ in {str(target)!r}]"

    def rename(entry):
        renamed = {"name": code} if entry == {"name": "input"} else entry
        return {code if key == "input" else key: value for key, value in renamed.items()}

    return lambda path: with_graph(path, lambda text: json.dumps(json.loads(text, object_hook=rename)))


def payload_in_a_folder(_):
    """A weight that lies among the constants, under a name that its own check does not look at."""

    def change(name, data):
        return data.replace(b'"weight_0"', b'"../constants/opaque_obj_0"') if name.endswith("config.json") else data

    return lambda path: rewritten(path, change)


def tensor_called_metadata(target):
    """Notes are not looked at, but a tensor of that name is no note."""
    code = f"__import__('os').system('touch {target}')"

    def rename(text):
        graph = json.loads(text)
        values = graph["graph_module"]["graph"]["tensor_values"]
        values["metadata"] = next(iter(values.values())) | {"sizes": [{"as_expr": {"expr_str": code, "hint": None}}]}
        return json.dumps(graph)

    return lambda path: with_graph(path, rename)


def doubled_member(_):
    """The first is looked at, the last is read; or the other way round, by a reader blind to upper and lower case."""

    def attack(path):
        with zipfile.ZipFile(path, "a") as archive:
            name = next(name for name in archive.namelist() if "/models/" in name)
            archive.writestr(name.upper(), b"{}")
        return path

    return attack


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (bracketed_name, "text in it that could run code"),
        (payload_in_a_folder, "tensors that lie somewhere else"),
        (tensor_called_metadata, "text in it that could run code"),
        (doubled_member, "a member twice"),
    ],
)
def test_ways_around_the_checks_are_closed(tmp_path, tiny, attack, said):
    path = attack(tmp_path / "pwned")(dynamic_export(tiny, tmp_path / "m.pt2"))
    with pytest.raises(ModelError, match=said):
        load_classifier(str(path))
    assert not (tmp_path / "pwned").exists()


ATTACKS = [sample_inputs, tensor_name, formula, indirect_formula, guard, pickled_weight, opaque_object]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_export_runs_code(tmp_path, tiny, attack):
    target = tmp_path / "pwned"
    path = attack(target)(dynamic_export(tiny, tmp_path / "m.pt2"))
    with suppress(ModelError):
        load_classifier(str(path)).network(torch.rand(2, 3, 16, 16))
    assert not target.exists()


@pytest.mark.parametrize("attack", ATTACKS)
def test_those_attacks_are_real(tmp_path, tiny, attack):
    target = tmp_path / "pwned"
    path = attack(target)(dynamic_export(tiny, tmp_path / "m.pt2"))
    with suppress(Exception):
        torch.export.load(path).module()(torch.rand(2, 3, 16, 16))
    assert target.exists()


def test_machine_code_and_older_layouts_are_refused(tmp_path, tiny):
    path = export(tiny, tmp_path / "m.pt2")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("m/data/aotinductor/model/x.so", b"")
    with pytest.raises(ModelError, match="compiled machine code"):
        load_classifier(str(path))
    with zipfile.ZipFile(tmp_path / "old.pt2", "w") as archive:
        archive.writestr("serialized_exported_program.json", "{}")
        archive.writestr("version", "8.8")
    with pytest.raises(ModelError, match="older layout"):
        load_classifier(str(tmp_path / "old.pt2"))


def test_damaged_archives_are_one_sentence(tmp_path, tiny):
    exported = rewritten(export(tiny, tmp_path / "m.pt2"), lambda name, data: b"{}" if "/models/" in name else data)
    scripted = rewritten(script(tiny, tmp_path / "m.pt"), lambda name, data: b"" if "/code/" in name else data)
    for path in (exported, scripted):
        with pytest.raises(ModelError, match=r"that this torch can read") as caught:
            load_classifier(str(path))
        assert "\n" not in str(caught.value)


def test_the_environment_is_left_as_it_was(tmp_path, tiny, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    load_classifier(str(export(tiny, tmp_path / "m.pt2")))
    assert os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] == "1"
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ
