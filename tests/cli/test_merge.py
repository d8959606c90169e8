"""``--part`` and ``cuesense merge``: shares of an analysis from anywhere, and one profile."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.helpers.command_line import SMALL_IMAGES, assert_one_sentence, run


def job(model_file: Path, photos_folder: Path, output: Path) -> list[object]:
    return ["analyze", model_file, "--dataset", photos_folder, "--output", output, "--config", "quick", *SMALL_IMAGES]


def without_time(folder: Path) -> dict[str, object]:
    profile = json.loads((folder / "profile.json").read_text(encoding="utf-8"))
    profile["provenance"]["created"] = None
    return profile


def test_parts_are_merged_from_another_folder(
    model_file: Path, photos_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos_folder.parent)
    given = job(model_file, Path(photos_folder.name), tmp_path / "whole")
    assert run(*given).exit_code == 0
    shared = [*given[:5], tmp_path / "shared", *given[6:], "--no-compile"]
    first = run(*shared, "--part", "1/2")
    assert first.exit_code == 0, first.output
    assert "Part 1 of 2 is done. Part 2 lacks predictions. Run it, such as with --part 2/2" in first.stderr
    assert not (tmp_path / "shared" / "profile.json").exists()
    monkeypatch.chdir(tmp_path)
    assert_one_sentence(run("-q", "merge", "shared"), "Part 2 lacks predictions")
    monkeypatch.chdir(photos_folder.parent)
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "1")
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "2")
    last = run(*shared)
    assert last.exit_code == 0, last.output
    assert "This is part 2 of 2 (SLURM_ARRAY_TASK_ID=1, SLURM_ARRAY_TASK_COUNT=2)" in last.stderr
    assert without_time(tmp_path / "shared") == without_time(tmp_path / "whole")
    (tmp_path / "shared" / "profile.json").unlink()
    monkeypatch.chdir(tmp_path)
    merged = run("merge", "shared", "--json")
    assert merged.exit_code == 0, merged.output
    assert json.loads(merged.stdout)["classes"] == without_time(tmp_path / "whole")["classes"]
    assert without_time(tmp_path / "shared") == without_time(tmp_path / "whole")


def test_a_part_with_other_arguments_is_refused(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    given = job(model_file, photos_folder, tmp_path / "shared")
    assert_one_sentence(run(*given, "--part", "1/2", "--batch-size", "0"), "--batch-size")
    assert list(tmp_path.iterdir()) == [], "a part that fails first leaves nothing"
    assert run(*given, "--part", "1/2").exit_code == 0
    assert_one_sentence(run(*given, "--part", "2/2", "--seed", "3"), "other --seed than in the part that began")
    assert_one_sentence(run(*given, "--part", "3/2"), "--part to be K/N")
    shutil.rmtree(tmp_path / "shared")
    assert_one_sentence(run("merge", tmp_path / "shared"), "no readable parts.json")


def test_images_that_the_parts_did_not_find_are_named(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    shutil.copytree(photos_folder, photos)
    given = job(model_file, photos, tmp_path / "shared")
    for part in ("1/2", "2/2"):
        assert run(*given, "--part", part).exit_code == 0
    first = min(photos.rglob("*.*"))
    with Image.open(first) as image:
        image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(first.with_stem("added"))
    added = first.with_stem("added").relative_to(photos)
    said = f"1 image is to be analyzed now that the parts did not take ('{added}')"
    # Asking again forgets nothing.
    for _ in range(2):
        assert_one_sentence(run("-q", "merge", tmp_path / "shared"), said)
    first.with_stem("added").unlink()
    assert run("merge", tmp_path / "shared").exit_code == 0
