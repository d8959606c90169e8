"""The library's main job: the same bytes whatever the machine does, and a profile that is true to the outcomes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import Tensor

import cuesense
from cuesense.config import Config, load_config
from cuesense.datasets.images import pixel_digest
from cuesense.errors import DatasetError, ModelError
from cuesense.inference import units
from cuesense.perturbations.apply import perturb
from cuesense.registry import get
from cuesense.schemas.profile import Profile
from cuesense.types import ClassNames, Cue, CueVerdict
from cuesense.workflows.analyze import analyze as run_analysis
from tests.helpers.profiles_with_forecasts import forecast as forecast_profile
from tests.helpers.small_networks import NAMES, SIZE, Colors, Meanest, classifier, picture

HALF, QUARTER = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "SHARD_SIZE", 40)


def analyze(dataset: Any = None, **changes: Any) -> Profile:
    return run_analysis(classifier(), dataset or Colors(120), **({"config": "standard", "batch_size": 16} | changes))


@pytest.fixture(scope="module")
def profile() -> Profile:
    return run_analysis(classifier(), Colors(300), batch_size=16)


def plain(profile: Profile) -> dict[str, Any]:
    content = json.loads(profile.to_json())
    del content["provenance"]["created"]
    return content


def numbers(content: Any) -> list[float]:
    if isinstance(content, dict):
        return [number for value in content.values() for number in numbers(value)]
    if isinstance(content, list):
        return [number for value in content for number in numbers(value)]
    return [content] if isinstance(content, float) else []


def without_floats(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: without_floats(value) for key, value in content.items()}
    if isinstance(content, list):
        return [without_floats(value) for value in content]
    return None if isinstance(content, float) else content


def test_a_network_that_knows_only_color_is_found_out(profile: Profile) -> None:
    assert [entry.cue for entry in profile.classes] == [CueVerdict.COLOR] * 3
    assert profile.summary.labels[CueVerdict.COLOR] == 3
    assert profile.summary.clean_accuracy == 1.0
    for entry in profile.classes:
        assert entry.reliance[Cue.COLOR].value == pytest.approx(1, abs=0.35)
        assert entry.reliance[Cue.SHAPE].value == pytest.approx(0, abs=0.05)
        assert entry.why.startswith(f"{entry.name} loses")


def test_budgets_follow_what_the_network_needs(profile: Profile) -> None:
    for entry in profile.classes:
        assert entry.budgets["horizontal_flip"].status == "unlimited"
        assert entry.budgets["color_jitter"].value != 0.8
    assert profile.policy.global_["horizontal_flip"].value == 1.0
    assert profile.policy.per_class[NAMES[0]]["horizontal_flip"] == 1.0


def test_curves_are_recounted_by_a_plain_loop(profile: Profile) -> None:
    """Every raw count of two perturbations, image by image."""
    network = Meanest()

    def right(pixels: Tensor, label: int) -> bool:
        return int(network((pixels - 0.5) / 0.25).argmax()) == label

    for name in ("grayscale", "color_jitter"):
        curve = next(curve for curve in profile.curves if curve.perturbation == name)
        lost, gained = np.zeros_like(curve.lost), np.zeros_like(curve.gained)
        for number in range(300):
            label = number % 3
            pixels = torch.from_numpy(picture(number, label)).permute(2, 0, 1)[None].float() / 255
            key = f"{pixel_digest(picture(number, label)):016x}"
            for severity, value in enumerate(curve.values):
                for repeat in range(curve.repeats):
                    changed = perturb(get("perturbations", name), pixels, [key], value, repeat=repeat)
                    lost[severity, label] += right(pixels, label) and not right(changed, label)
                    gained[severity, label] += not right(pixels, label) and right(changed, label)
        assert curve.lost == lost.tolist()
        assert curve.gained == gained.tolist()


def test_budget_numbers_can_be_read_off_the_curves(profile: Profile) -> None:
    for curve in profile.curves:
        for entry in profile.classes:
            budget = entry.budgets.get(curve.perturbation)
            if budget is None:
                continue
            severity = curve.values.index(budget.value) if budget.value is not None else 0
            change = curve.lost[severity][entry.index] - curve.gained[severity][entry.index]
            # Drawn toward the other classes, from the side of what is seen.
            assert budget.drop == pytest.approx(change / curve.n[entry.index], abs=0.25)
            assert len(budget.risks) == len(curve.values)
            assert budget.low <= budget.drop <= budget.high  # type: ignore[operator]


def test_corrected_counts_are_over_the_same_images(profile: Profile) -> None:
    for curve in profile.curves:
        images = np.array(curve.n)
        assert images.tolist() == [100, 100, 100]
        for counts in (curve, curve.corrected):
            lost, gained = np.array(counts.lost), np.array(counts.gained)
            clean = np.array(counts.clean_correct)
            assert np.all(lost <= clean)
            assert np.all(gained <= images - clean)


def test_workers_order_and_interruptions_change_no_byte(tmp_path: Path) -> None:
    first = plain(analyze(output=tmp_path / "a"))
    assert plain(analyze(workers=7)) == first

    class Reversed(Colors):
        @property
        def sample_ids(self) -> list[str]:
            return super().sample_ids[::-1]

    assert plain(analyze(Reversed(120))) | {"provenance": None} == first | {"provenance": None}
    next((tmp_path / "a" / "outcomes").glob("shard-*.npz")).unlink()
    (tmp_path / "a" / "outcomes" / "shard-00002.tmp").write_bytes(b"half a shard")
    assert plain(analyze(output=tmp_path / "a")) == first


@pytest.fixture(scope="module")
def in_batches_of_16() -> dict[str, Any]:
    return plain(analyze())


@pytest.mark.parametrize("batch_size", [1, 7, 40])
def test_batch_sizes_change_no_count_cue_or_budget(batch_size: int, in_batches_of_16: dict[str, Any]) -> None:
    first, other = in_batches_of_16, plain(analyze(batch_size=batch_size))
    assert without_floats(first) == without_floats(other)
    np.testing.assert_allclose(numbers(first), numbers(other), atol=1e-5)


def test_numbers_of_numpy_and_torch_are_numbers() -> None:
    data = [(picture(number, number % 3), number % 3) for number in range(30)]
    profile = cuesense.analyze(
        Meanest(),
        data,
        class_names=NAMES,
        config="quick",
        mean=np.full(3, 0.5, np.float32),
        std=torch.full((3,), 0.5),
        seed=np.int64(3),
        device=torch.device("cpu"),
    )
    assert profile.provenance.seed == 3
    assert profile.provenance.device == "cpu"
    assert profile.provenance.model.preprocessing["mean"] == [0.5] * 3


def test_files_agree_with_the_profile(tmp_path: Path) -> None:
    profile = analyze(output=tmp_path / "o")
    assert Profile.read(tmp_path / "o") == profile
    classes = pd.read_csv(tmp_path / "o" / "classes.csv", index_col="index")
    assert classes["name"].tolist() == profile.summary.graded.order
    classes = classes.sort_index()
    assert classes["name"].tolist() == list(NAMES)
    assert classes["color_value"].tolist() == pytest.approx([c.reliance[Cue.COLOR].value for c in profile.classes])
    assert classes["color_jitter_status"].tolist() == [c.budgets["color_jitter"].status for c in profile.classes]
    curves = pd.read_csv(tmp_path / "o" / "curves.csv")
    assert len(curves) == 49 * 3
    row = curves[(curves.perturbation == "grayscale") & (curves.value == 1) & (curves["class"] == "brick")].iloc[0]
    gray = next(curve for curve in profile.curves if curve.perturbation == "grayscale")
    assert (row.lost, row.gained, row.severity) == (gray.lost[1][0], gray.gained[1][0], 2)
    assert row.accuracy_drop == pytest.approx((row.lost - row.gained) / 40)
    shown = pd.read_parquet(tmp_path / "o" / "pictures.parquet")
    assert set(shown["class"]) == set(NAMES)
    clean = shown[shown.severity == 0]
    assert clean.right.all()
    assert clean.answer.tolist() == clean["class"].tolist()
    page = (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in NAMES)


def test_repeats_count_draws_but_not_images() -> None:
    jitter = replace(get("perturbations", "color_jitter"), ladder=(0.8,))
    once, thrice = (analyze(config=Config("mine", "", (jitter,), repeats)) for repeats in (1, 3))
    assert thrice.curves[0].repeats == 3
    assert sum(thrice.curves[0].lost[0]) > 2 * sum(once.curves[0].lost[0])
    assert thrice.curves[0].n == once.curves[0].n
    frame = thrice.curves_frame()
    assert frame.accuracy_drop.tolist() == pytest.approx(((frame.lost - frame.gained) / (3 * frame.n)).tolist())


def test_any_module_and_torch_dataset_work_in_a_notebook() -> None:
    images = [torch.from_numpy(picture(number, number % 3)).permute(2, 0, 1).float() / 255 for number in range(60)]
    data = list(zip(images, [number % 3 for number in range(60)], strict=True))
    network = Meanest()
    network.train()
    profile = cuesense.analyze(network, data, class_names=NAMES, mean=(0.5,) * 3, std=(0.25,) * 3)
    assert network.training
    assert profile.summary.clean_accuracy == 1.0
    frame = profile.to_frame()
    assert frame["cue"].tolist() == ["color"] * 3
    assert {"shape_low", "random_resized_crop_value", "why"} <= set(frame.columns)


def test_normalization_that_was_assumed_is_a_warning() -> None:
    data = [(picture(number, number % 3), number % 3) for number in range(30)]
    with pytest.warns(cuesense.CuesenseWarning, match=r"say how images are prepared: assumed mean 0.485, ") as caught:
        profile = cuesense.analyze(Meanest(), data, class_names=NAMES, config="quick")
    assert [found.filename for found in caught] == [__file__]
    assert str(caught[0].message) == " ".join(profile.provenance.assumptions)
    assert any("mean and std are assumed" in warning for warning in profile.summary.warnings)


def test_what_a_data_loader_adds_to_its_dataset_is_said_to_be_left_out() -> None:
    data = [(picture(number, number % 3), number % 3) for number in range(30)]
    loader = torch.utils.data.DataLoader(data, batch_size=4, shuffle=True)  # type: ignore[arg-type]
    given = {"class_names": NAMES, "config": "quick", "mean": (0.5,) * 3, "std": (0.25,) * 3}
    with pytest.warns(cuesense.CuesenseWarning, match=r"Its sampler, shuffling, batches and collate function were not"):
        profile = cuesense.analyze(Meanest(), loader, images_per_class=8, **given)
    assert any("shuffling" in warning for warning in profile.summary.warnings)


def test_empty_and_tiny_classes_are_null_and_undetermined() -> None:
    class Uneven(Colors):
        @property
        def labels(self) -> list[int]:
            return [2 if name == "00002" else int(name) % 2 for name in self.sample_ids]

    four = classifier(Meanest(outputs=4), class_names=None)
    with (
        pytest.warns(cuesense.CuesenseWarning, match="name the 4 outputs: assumed"),
        pytest.warns(cuesense.CuesenseWarning, match="Classes with fewer than two images"),
    ):
        profile = run_analysis(four, Uneven(60, class_names=(*NAMES, "nothing")), batch_size=16)
    blue, nothing = profile.classes[2:]
    assert blue.images == 1
    assert nothing.images == 0
    assert nothing.clean_accuracy is None
    assert nothing.reliance[Cue.COLOR].value is None
    assert blue.reliance[Cue.COLOR].low < 0.2  # type: ignore[operator]
    for entry in (blue, nothing):
        assert entry.cue is CueVerdict.UNDETERMINED
        assert entry.flags["few_images"] == f"{entry.images} image{'' if entry.images == 1 else 's'}"
        # Of a class with a single image the others tell a little, of one without any nothing is said.
        assert (entry.budgets["color_jitter"].drop is None) == (entry is nothing)
        assert all(budget.status == "undetermined" for budget in entry.budgets.values())
    assert any("fewer than two images" in warning for warning in profile.summary.warnings)
    assert "NaN" not in profile.to_json()


def test_shuffled_class_names_stop_before_a_profile_is_written(tmp_path: Path) -> None:
    data = Colors(120, class_names=("grass", "water", "brick"))
    with pytest.raises(DatasetError, match=r"accuracy of 0.0%, below chance \(33.3%\), while"):
        run_analysis(classifier(), data, config="quick", batch_size=16, output=tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["outcomes"]


def test_two_exchanged_class_names_are_named_in_the_first_warning() -> None:
    with pytest.warns(cuesense.CuesenseWarning, match="are probably exchanged"):
        profile = run_analysis(classifier(), Colors(120, class_names=("brick", "water", "grass")), config="quick")
    assert profile.summary.clean_accuracy == pytest.approx(1 / 3, abs=1e-6)
    warning = profile.summary.warnings[0]
    assert "the names of 'water' (output 2) and 'grass' (output 1) are probably exchanged" in warning


def test_folders_numbered_from_1_stop_with_their_cause() -> None:
    class Spread(torch.nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            own = Meanest()(images)
            return torch.stack([own, own.amin(dim=1, keepdim=True) - 9 + 0 * own], dim=2).flatten(1)

    data = Colors(120, class_names=("1", "3", "5"))
    names = ("red", "none", "green", "none too", "blue", "other")
    with (
        pytest.warns(cuesense.CuesenseWarning, match="assumed a shorter side of 18 pixels"),
        pytest.raises(DatasetError, match="the outputs one lower explain every image") as caught,
    ):
        cuesense.analyze(Spread(), data, class_names=names, config="quick", image_size=SIZE, mean=HALF, std=QUARTER)
    assert "The classes seem to be numbered from 1" in str(caught.value)


def test_classes_in_another_unicode_form_are_found_and_printed_composed(tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    groups.write_text("class,group\nBri\u00e7k,solid\ngrass,soft\n", encoding="utf-8")
    data = Colors(120, class_names=("bric\u0327k", "GRASS", "Water"))
    known = replace(classifier(), class_names=ClassNames(("bri\u00e7k", "grass", "water")))
    profile = run_analysis(known, data, config="quick", groups=groups)
    assert profile.summary.clean_accuracy == 1
    assert [entry.name for entry in profile.classes] == ["bri\u00e7k", "GRASS", "Water"]
    assert {group.name for group in profile.groups} >= {"solid", "soft"}


def test_images_per_class_takes_a_choice_that_ignores_the_order() -> None:
    profile = analyze(images_per_class=5, config="quick")
    assert [entry.images for entry in profile.classes] == [5, 5, 5]
    assert profile.provenance.dataset.images == 15


def test_provenance_tells_all_that_decides_the_numbers(profile: Profile) -> None:
    info = profile.provenance
    assert info.model.architecture == "meanest"
    assert info.model.preprocessing["mean"] == [0.5, 0.5, 0.5]
    assert info.model.sha256 is not None
    assert info.config["preset"] == "standard"
    assert info.config["perturbations"]["patch_shuffle"] == list(
        next(entry.ladder for entry in load_config("standard").perturbations if entry.name == "patch_shuffle")
    )
    assert {"torch", "kornia"} <= info.versions.keys()
    assert info.assumptions == []


def test_windows_are_given_in_pixels_too(profile: Profile) -> None:
    curves = {curve.perturbation: curve for curve in profile.curves}
    assert curves["median_blur"].pixels == [
        pytest.approx(value * 16, abs=0.01) for value in curves["median_blur"].values
    ]
    assert curves["grayscale"].pixels is None


def test_outputs_without_names_are_named_after_the_classes_and_synsets_readably() -> None:
    data = Colors(60, class_names=("n01440764", "n02086240", "n03000684"))
    with pytest.warns(cuesense.CuesenseWarning, match="name the 3 outputs: assumed in order 'tench', 'Shih Tzu', "):
        profile = run_analysis(classifier(class_names=None), data, config="quick", batch_size=16)
    assert [entry.name for entry in profile.classes] == ["tench", "Shih Tzu", "chainsaw"]
    assert profile.summary.clean_accuracy == 1.0


def test_a_forecast_outlives_the_same_analysis_and_no_other(tmp_path: Path) -> None:
    analyze(output=tmp_path / "out")
    file = tmp_path / "out" / "profile.json"
    forecast = json.loads(small_forecast().to_json())["forecast"]
    file.write_text(json.dumps(json.loads(file.read_text()) | {"forecast": forecast}))
    kept = analyze(output=tmp_path / "out")
    assert kept.forecast == small_forecast().forecast
    assert Profile.read(tmp_path / "out").forecast == kept.forecast
    assert analyze(Colors(90), output=tmp_path / "out", restart=True).forecast is None


def small_forecast() -> Profile:
    return forecast_profile({"random_resized_crop": [[0.0] * 3] * 4})


def test_what_the_images_can_decide_is_said_before_anything_runs_and_after_clean_ones(tmp_path: Path) -> None:
    heard: list[str] = []

    def refuse(_images: Tensor) -> Tensor:
        raise RuntimeError(f"{len(heard)} sentences before")

    with pytest.raises(ModelError, match="3 sentences before"):
        run_analysis(classifier(refuse), Colors(120), config="quick", batch_size=16, notify=heard.append)
    heard.clear()
    done: list[tuple[int, int]] = []
    told = run_analysis(
        classifier(),
        Colors(120),
        config="quick",
        batch_size=16,
        output=tmp_path,
        notify=lambda sentence: heard.append(f"{len(done)} {sentence}"),
        progress=lambda *now: done.append(now),
    )
    assert [sentence.split()[0] for sentence in heard[:3]] == ["0"] * 3
    assert "With 40 images a class" in heard[0]
    assert f"0 {120 * 13:,} forward passes are still to be computed: about " in heard[3]
    # The last of 60 tried images (20 of each class), and nothing of the analysis itself.
    at = int(heard[4].split()[0])
    assert "Of the first 20 clean images of each class, 100 % are recognized" in heard[4]
    conditions = len(load_config("quick").conditions())
    assert done[at - 1] == done[at] == (round(120 * 60 / (60 + 120 * conditions)), 120)
    assert (done[-1], len(heard)) == ((120, 120), 5)
    assert plain(told) == plain(analyze(config="quick"))
    # A run that goes on tries nothing again.
    heard.clear()
    (tmp_path / "profile.json").unlink()
    run_analysis(classifier(), Colors(120), config="quick", batch_size=16, output=tmp_path, notify=heard.append)
    assert len(heard) == 3


def test_a_class_that_is_hardly_recognized_is_named_before_the_analysis() -> None:
    class Blind(Meanest):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images) - torch.tensor([1e6, 0, 0])

    heard: list[str] = []
    run_analysis(classifier(Blind()), Colors(120), config="quick", batch_size=16, notify=heard.append)
    assert f"{NAMES[0]} (0 %)" in heard[-1]


def test_classes_keep_the_order_of_the_counts_and_the_order_of_leans_is_beside_them(profile: Profile) -> None:
    assert [entry.index for entry in profile.classes] == [0, 1, 2]
    assert profile.summary.graded.order == [entry.name for entry in profile.classes_by_lean]
    for entry in profile.classes:
        assert entry.kept["without_color"].value < 0.5 < entry.kept["without_shape"].value  # type: ignore[operator]


def test_a_folder_of_parts_is_analyzed_in_one_of_them_and_every_result_says_which(tmp_path: Path) -> None:
    for number in range(18):
        part, label = ("train", "val", "val")[number % 3], number // 3 % 3
        path = tmp_path / "photos" / part / NAMES[label] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number, label)).save(path)
    with pytest.warns(cuesense.CuesenseWarning, match=r"'val' is used\. Its parts are 'val', 'train': choose another"):
        found = run_analysis(classifier(), tmp_path / "photos", config="quick", output=tmp_path / "out")
    assert (found.provenance.dataset.split, found.provenance.dataset.images) == ("val", 12)
    said = "Of the dataset's parts, 'val' is used. Its parts are 'val', 'train': choose another with --split."
    assert said in found.summary.warnings
    assert "photos (val)" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    again = run_analysis(classifier(), tmp_path / "photos", config="quick", split="train")
    assert (again.provenance.dataset.split, again.provenance.dataset.images) == ("train", 6)
    assert again.provenance.dataset.fingerprint != found.provenance.dataset.fingerprint


def test_phases_are_named_in_their_order_and_too_few_images_are_said_before_the_network_runs(
    tmp_path: Path,
) -> None:
    ran: list[int] = []
    said: list[str] = []

    def network(images: Tensor) -> Tensor:
        ran.append(len(images))
        return Meanest()(images)

    def stop(sentence: str) -> None:
        said.append(sentence)
        raise KeyboardInterrupt

    data = Colors(12)
    with pytest.raises(KeyboardInterrupt):
        run_analysis(classifier(network), data, output=tmp_path / "out", phase=said.append, confirm=stop)
    assert said[:2] == ["finding images", "loading model"]
    assert said[2].startswith("4 images a class decide little: ")
    assert ran == []
    assert not (tmp_path / "out").exists()
    said.clear()
    run_analysis(classifier(network), data, config="quick", phase=said.append, confirm=said.append)
    assert said[-2:] == ["trying model on a few images", f"reading {len(data)} images"]
    assert ran
