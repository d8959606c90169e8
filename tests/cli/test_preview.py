"""preview as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.helpers.command_line import assert_one_sentence, run, run_python, without


@pytest.mark.parametrize(("suffix", "kind"), [(".png", "PNG"), (".webp", "WEBP"), (".PNG", "PNG")])
def test_a_sheet_is_written_in_the_format_of_its_suffix(
    suffix: str, kind: str, photos_folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "new" / f"sheet{suffix}"
    done = run("preview", photos_folder, "--config", "quick", "--output", output)
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert "Prepared at " in done.stderr
    assert done.stderr.splitlines()[-1] == f"Pictures: {output}"
    with Image.open(output) as sheet:
        assert (sheet.format, sheet.mode) == (kind, "RGB")
        assert min(sheet.size) > 500


def test_more_images_and_augmentations_make_a_larger_sheet(photos_folder: Path, tmp_path: Path) -> None:
    heights = []
    for more in ([], ["--augmentations", "hue"], ["--images", "2"]):
        done = run("-q", "preview", photos_folder, "--config", "quick", "--output", tmp_path / "s.png", *more)
        assert (done.exit_code, done.output) == (0, "")
        with Image.open(tmp_path / "s.png") as sheet:
            heights.append(sheet.height)
    assert heights[0] < heights[1] < heights[2]


def test_a_model_prepares_the_images(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.png"
    done = run("preview", model_file, "--dataset", photos_folder, "--config", "quick", "--output", output)
    assert done.exit_code == 0, done.output
    assert "Prepared as" in done.stderr
    assert output.is_file()


def test_wrong_input_is_one_sentence(photos_folder: Path, model_file: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no image")
    image = tmp_path / "a.png"
    Image.new("RGB", (32, 32)).save(image)
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "weights.pt")
    wrong: dict[str, tuple[list[object], str]] = {
        "no image": ([tmp_path / "bad.png"], "Cannot read the image"),
        "nothing there": ([tmp_path / "none"], "but got nothing there"),
        "weights alone": ([tmp_path / "weights.pt"], "Give images with it: --dataset DATASET."),
        "program alone": ([model_file], "Give images with it: --dataset DATASET."),
        "library alone": (["timm:resnet18"], "but got the model 'timm:resnet18'"),
        "either": (["torchvision:resnet18"], "give MODEL --dataset DATASET."),
        "no model": ([photos_folder, "--arch", "timm:resnet18"], "Expected --arch to be left out"),
        "no images": ([photos_folder, "--images", "0"], "Expected --images to be a whole number from 1 to 8"),
        "many images": ([photos_folder, "--images", "9"], "Expected --images to be a whole number from 1 to 8"),
        "no size": ([photos_folder, "--image-size", "0"], "Expected --image-size"),
        "preset": ([photos_folder, "--config", "quik"], "Did you mean 'quick'?"),
        "augmentation": ([photos_folder, "--augmentations", "hu"], "Did you mean 'hue'?"),
        "no network": ([tmp_path / "weights.pt", "--dataset", photos_folder], "--arch"),
        "wrong images": ([model_file, "--dataset", tmp_path / "none"], "but got nothing there"),
    }
    for name, (given, said) in wrong.items():
        done = run("preview", *given, "--output", tmp_path / "s.png")
        assert_one_sentence(done, said)
        assert not (tmp_path / "s.png").exists(), name
    for output, said in ((tmp_path / "s.jpg", "a .png or .webp file"), (image, "another file than the input")):
        before = image.read_bytes()
        assert_one_sentence(run("preview", image, "--output", output), said)
        assert image.read_bytes() == before
    (tmp_path / "dir.png").mkdir()
    assert_one_sentence(run("preview", image, "--output", tmp_path / "dir.png"), "to be a file, but got a folder")


def test_help_imports_nothing_heavy() -> None:
    done = run_python(without({"torch", "kornia", "torchvision", "timm", "PIL"}), "preview", "--help")
    assert done.returncode == 0, done.stderr
