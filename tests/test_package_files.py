"""The data files that travel with the package."""

from pathlib import Path

import pytest

from cuesense import package_files


@pytest.mark.parametrize(("name", "file"), [("configs", "standard.toml"), ("assets", "imagenet_classes.csv")])
def test_both_folders_are_found_in_a_checkout(name: str, file: str) -> None:
    assert (package_files.folder(name) / file).is_file()


def test_a_folder_inside_the_package_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel has its data inside the package, and what lies beside it belongs to other packages."""
    monkeypatch.setattr(package_files, "_PACKAGE", tmp_path / "cuesense")
    (tmp_path / "configs").mkdir()
    assert package_files.folder("configs") == tmp_path / "configs"
    (tmp_path / "cuesense" / "configs").mkdir(parents=True)
    assert package_files.folder("configs") == tmp_path / "cuesense" / "configs"
