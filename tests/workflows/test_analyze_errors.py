"""What goes wrong in an analysis: one sentence for the user, and nothing half-written."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from cuesense.config import load_config
from cuesense.errors import CuesenseWarning, DatasetError, ModelError, OutputError, SettingsError
from cuesense.inference import units
from cuesense.schemas.profile import Profile
from cuesense.workflows.analyze import analyze as run_analysis
from tests.helpers.dependent_networks import DEPENDENT, ready
from tests.helpers.small_networks import NAMES, Colors, classifier, picture


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "SHARD_SIZE", 40)


FEW = replace(load_config("quick"), perturbations=load_config("quick").perturbations[:2])


def analyze(dataset: Any = None, **changes: Any) -> Profile:
    return run_analysis(classifier(), dataset or Colors(120), **({"config": "standard", "batch_size": 16} | changes))


def test_the_output_may_not_become_a_class_of_the_dataset(tmp_path: Path) -> None:
    for number in range(6):
        path = tmp_path / "data" / NAMES[number % 3] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number, number % 3)).save(path)
    for output in (tmp_path / "data", tmp_path / "data" / "out"):
        with pytest.raises(OutputError, match="outside of the dataset"):
            run_analysis(classifier(), tmp_path / "data", output=output)
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == sorted(NAMES)


def test_the_output_may_lie_beside_a_table_of_the_images(tmp_path: Path) -> None:
    rows = ["path,label"]
    for number in range(6):
        Image.fromarray(picture(number, number % 3)).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{NAMES[number % 3]}")
    (tmp_path / "val.csv").write_text("\n".join(rows))
    with pytest.warns(CuesenseWarning, match="those of the table"):
        found = run_analysis(classifier(), tmp_path, output=tmp_path / "out", config=FEW)
    assert found.provenance.dataset.images == 6
    assert (tmp_path / "out" / "profile.json").is_file()


def test_images_that_changed_on_disk_are_named_and_a_touched_one_is_not(photos_folder: Path, tmp_path: Path) -> None:
    data, output = tmp_path / "data", tmp_path / "o"
    shutil.copytree(photos_folder, data)
    first = run_analysis(classifier(), data, output=output, config=FEW)
    os.utime(data / NAMES[0] / "000.png", (1, 1))
    again = run_analysis(classifier(), data, output=output, config=FEW)
    assert again.classes == first.classes
    Image.fromarray(picture(999, 0)).save(data / NAMES[0] / "000.png")
    said = rf"1 of 60 images has another content than when measured before \('{NAMES[0]}/000.png'\), and is"
    with pytest.warns(CuesenseWarning, match=said):
        run_analysis(classifier(), data, output=output, config=FEW)
    # Now it is known as it is.
    run_analysis(classifier(), data, output=output, config=FEW)
    told: list[str] = []
    Image.fromarray(picture(998, 0)).save(data / NAMES[0] / "000.png")
    Image.fromarray(picture(997, 0)).save(data / NAMES[0] / "001.png")
    run_analysis(classifier(), data, output=output, config=FEW, notify=told.append)
    assert any(sentence.startswith("2 of 60 images have another content") for sentence in told)


def test_copies_widen_no_sample_and_what_is_left_out_is_said(photos_folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(photos_folder, data)
    plain = run_analysis(classifier(), data, config=FEW)
    assert plain.summary.warnings == []
    for path in sorted(data.rglob("*.png")):
        for number in range(2):
            shutil.copy(path, path.with_name(f"{path.stem}_{number}.png"))
    shutil.copy(data / NAMES[0] / "000.png", data / NAMES[1] / "x.png")
    (data / NAMES[0] / "film.mp4").touch()
    with (
        pytest.warns(CuesenseWarning, match="1 file of another kind"),
        pytest.warns(CuesenseWarning, match="120 of 181 images are copies of others"),
    ):
        copied = run_analysis(classifier(), data, config=FEW)
    left_out, copies, labels = copied.summary.warnings
    assert left_out == "1 file of another kind (.mp4) was left out."
    assert copies.startswith("120 of 181 images are copies of others")
    assert f"'{NAMES[0]}/000.png' ({NAMES[0]}) and '{NAMES[1]}/x.png' ({NAMES[1]})" in labels
    assert [entry.images for entry in copied.classes] == [20, 21, 20]
    (data / NAMES[1] / "x.png").unlink()
    (data / NAMES[0] / "film.mp4").unlink()
    with pytest.warns(CuesenseWarning, match="images are copies of others"):
        assert run_analysis(classifier(), data, config=FEW).classes == plain.classes


def test_unreadable_images_are_listed_and_too_many_leave_nothing_behind(tmp_path: Path) -> None:
    with pytest.warns(CuesenseWarning, match="1 unreadable image was skipped"):
        profile = analyze(Colors(120, broken=frozenset({3})), config="quick")
    assert any("1 unreadable image was skipped: 00021 (not an image)" in text for text in profile.summary.warnings)
    with pytest.raises(DatasetError, match="95 %"):
        analyze(Colors(120, broken=frozenset(range(20))), output=tmp_path / "o", config="quick")
    assert not (tmp_path / "o").exists()


def test_a_mistake_leaves_an_older_result_alone(tmp_path: Path) -> None:
    analyze(output=tmp_path / "o", config="quick")
    before = {path: path.read_bytes() for path in (tmp_path / "o").rglob("*") if path.is_file()}
    bad = classifier(nn.Identity())
    with pytest.raises((ModelError, OutputError)):
        run_analysis(bad, Colors(120), output=tmp_path / "o", config="quick")
    assert {path: path.read_bytes() for path in (tmp_path / "o").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"batch_size": 0}, SettingsError, "batch_size"),
        ({"batch_size": 4096}, SettingsError, "batch_size"),
        ({"workers": 0}, SettingsError, "workers"),
        ({"images_per_class": 0}, SettingsError, "images_per_class"),
        ({"tolerance": 0.0}, SettingsError, "tolerance"),
        ({"confidence": 0.4}, SettingsError, "confidence"),
        ({"device": "warp"}, SettingsError, "device"),
        ({"device": "meta"}, SettingsError, "device"),
        ({"image_size": 10**20}, SettingsError, "image_size"),
        ({"resize": "64"}, SettingsError, "resize"),
        ({"mean": (0.5, 0.5)}, SettingsError, "mean"),
        ({"std": 0.5}, SettingsError, "std"),
        ({"std": "111"}, SettingsError, "std"),
        ({"std": (1e-40, 1, 1)}, SettingsError, "std"),
        ({"batch_size": 2.5}, SettingsError, "batch_size"),
        ({"images_per_class": 2.5}, SettingsError, "images_per_class"),
        ({"tolerance": "a"}, SettingsError, "tolerance"),
        ({"seed": "a"}, SettingsError, "seed"),
        ({"config": {"a": 1}}, SettingsError, "config"),
        ({"precision": "int3"}, SettingsError, "precision"),
        ({"config": "standart"}, SettingsError, "Did you mean 'standard'"),
        ({"class_names": ("brick", "grass")}, DatasetError, "water"),
        ({"class_names": ("brick", "grass", "grass")}, DatasetError, "'grass' 2 times"),
    ],
)
def test_wrong_settings_are_one_sentence(changes: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        analyze(**changes)


def test_a_bare_function_is_no_model() -> None:
    with pytest.raises(ModelError, match=r"an nn\.Module or a Classifier"):
        run_analysis(lambda images: images, Colors(30), config="quick")  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [lambda: nn.Identity(), lambda: lambda images: images.mean(dim=(2, 3)) / 0])
def test_nonsense_answers_are_model_errors(make: Callable[[], Callable[[Tensor], Tensor]]) -> None:
    with pytest.raises(ModelError):
        run_analysis(classifier(make()), Colors(30), config="quick")


def test_a_network_with_dropout_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    dropout = classifier(ready(DEPENDENT["dropout left on"]))
    with pytest.raises(ModelError, match="The model is no function of one image: the same batch"):
        run_analysis(dropout, Colors(30), config="quick", output=tmp_path / "o")
    assert not (tmp_path / "o").exists()


class Noisy(nn.Module):
    """A network that needs color, with dropout that is left on."""

    def forward(self, images: Tensor) -> Tensor:
        return 2 * functional.dropout(images, 0.1, training=True).mean(dim=(2, 3))


def test_it_is_measured_where_that_is_allowed_and_the_profile_says_so(tmp_path: Path) -> None:
    dropout = classifier(Noisy().eval())
    options: dict[str, Any] = {"config": "quick", "output": tmp_path / "o", "allow_nondeterministic": True}
    with pytest.warns(CuesenseWarning, match=r"It was measured as it is \(allow_nondeterministic=True\)"):
        profile = run_analysis(dropout, Colors(30), **options)
    assert any("The model is no function of one image" in warning for warning in profile.summary.warnings)
    (assumed,) = profile.provenance.assumptions
    assert assumed.endswith("It was measured as it is (--allow-nondeterministic).")
    assert Profile.read(tmp_path / "o").provenance.assumptions == [assumed]


class Softmax(nn.Module):
    """The probabilities of a network that needs color."""

    def forward(self, images: Tensor) -> Tensor:
        return (2 * images.mean(dim=(2, 3))).softmax(dim=1)


class Logits(nn.Module):
    """The logits of the same network."""

    def forward(self, images: Tensor) -> Tensor:
        return 2 * images.mean(dim=(2, 3))


def test_probabilities_are_analyzed_as_their_logits_and_a_resumed_run_agrees(tmp_path: Path) -> None:
    options: dict[str, Any] = {"config": "quick", "batch_size": 16}
    logits = run_analysis(classifier(Logits()), Colors(60), **options)
    with pytest.warns(CuesenseWarning, match="add up to 1"):
        softmax = run_analysis(classifier(Softmax()), Colors(60), output=tmp_path / "o", **options)
    assert softmax.curves == logits.curves
    assert [entry.cue for entry in softmax.classes] == [entry.cue for entry in logits.classes]
    assert "Their logarithm is taken as logits" in softmax.summary.warnings[0]
    assert any("add up to 1" in assumed for assumed in softmax.provenance.assumptions)
    settings = json.loads((tmp_path / "o" / "outcomes" / "settings.json").read_text())
    assert settings["output_kind"] == "probabilities"
    with pytest.warns(CuesenseWarning, match="add up to 1"):
        again = run_analysis(classifier(Softmax()), Colors(60), output=tmp_path / "o", **options)
    assert again.classes == softmax.classes
    with pytest.raises(OutputError, match="output_kind"):
        run_analysis(classifier(Logits()), Colors(60), output=tmp_path / "o", **options)


def test_what_is_guessed_is_an_assumption() -> None:
    images = [(torch.from_numpy(picture(n, n % 3)).permute(2, 0, 1), n % 3) for n in range(30)]
    with pytest.warns(CuesenseWarning, match=r"assumed mean 0\.485") as caught:
        found = run_analysis(Logits(), images, config="quick").provenance.assumptions
    assert [str(warning.message) for warning in caught] == [" ".join(found)]
    assert found == [
        "Neither the weights nor an option say how images are prepared: assumed mean 0.485, 0.456, 0.406, "
        "standard deviation 0.229, 0.224, 0.225.",
        "Neither the weights nor an option name the 3 outputs: assumed in order '0', '1', '2'.",
        "30 of 30 images are recognized when prepared so.",
    ]


def test_a_restart_that_fails_leaves_no_results_of_the_earlier_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "o"
    analyze(output=output, config=FEW)
    results = sorted(path.name for path in output.iterdir())
    (output / "notes.txt").write_text("mine")
    with pytest.raises(DatasetError):
        # Refused before anything is deleted: fewer images than classes can be told from.
        analyze(dataset=Colors(120, class_names=("a", "b", "c")), output=output, config=FEW, restart=True)
    assert set(results) <= {path.name for path in output.iterdir()}

    def stopped(*_: Any) -> None:
        raise DatasetError("stopped")

    monkeypatch.setattr("cuesense.workflows.measure.check_order", stopped)
    with pytest.raises(DatasetError, match="stopped"):
        analyze(output=output, config=FEW, seed=1, restart=True)
    assert sorted(path.name for path in output.iterdir() if path.name not in {".lock"}) == ["notes.txt", "outcomes"]


@pytest.mark.parametrize("name", ["file", "file/below", "/dev/full"])
def test_an_output_that_is_no_folder_is_refused_before_the_model_is_loaded(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match=r"a folder, but got the file '.*(file|full)'"):
        run_analysis(tmp_path / "no such model.pt", Colors(30), output=tmp_path / name)


def test_an_empty_output_is_refused_and_one_name_is_an_augmentation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="Expected output to be a path, but got ''"):
        analyze(output="")
    with pytest.raises(SettingsError, match=r"Unknown perturbation 'random_resized_cropp'\. Did you mean"):
        analyze(augmentations="random_resized_cropp")
    assert not list(tmp_path.iterdir())


def test_parameters_without_values_are_one_sentence() -> None:
    lazy = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(3))
    with pytest.raises(ModelError, match="Expected the network to be initialized, but got"):
        run_analysis(lazy, Colors(6), class_names=NAMES, config=FEW)
