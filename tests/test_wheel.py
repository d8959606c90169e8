"""The wheel, built without a network and installed apart: its files, and its types as a user's mypy sees them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RIGHT = """\
import cuesense
profile = cuesense.Profile.read("profile.json")
accuracy: float | None = profile.summary.clean_accuracy
"""
WRONG = RIGHT.replace("float | None", "str")
# What a user's mypy would follow for half a minute, and what the types of this package's face do not rest on.
SETTINGS = """\
[mypy]
strict = true
[mypy-torch.*,torchvision.*,kornia.*,timm.*,open_clip.*,pandas.*,scipy.*,pyarrow.*,rich.*,PIL.*,numpy.*]
follow_imports = skip
"""


def run(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    outside = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")}
    return subprocess.run(command, cwd=cwd, env=outside, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel in it; what the wheel depends on is borrowed from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("cuesense", "configs", "assets"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    build = f"from hatchling.build import build_wheel; build_wheel({str(folder)!r})"
    built = run([sys.executable, "-c", build], cwd=source)
    assert built.returncode == 0, built.stderr
    made = run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], cwd=folder)
    assert made.returncode == 0, made.stderr
    packages = next((folder / "venv").glob("lib/python*/site-packages"))
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    shutil.unpack_archive(next(folder.glob("*.whl")), packages, "zip")
    return folder / "venv" / "bin" / "python"


@pytest.fixture(scope="module")
def package(python: Path) -> Path:
    return next(python.parents[1].glob("lib/python*/site-packages/cuesense"))


def test_the_wheel_holds_code_types_presets_and_assets(package: Path) -> None:
    source = ROOT / "cuesense"
    for kind in ("py", "j2", "css", "js"):
        files = {path.relative_to(source) for path in source.rglob(f"*.{kind}")}
        assert files == {path.relative_to(package) for path in package.rglob(f"*.{kind}")}, kind
    assert (package / "py.typed").is_file()
    for name in ("configs", "assets"):
        files = {path.relative_to(ROOT / name) for path in (ROOT / name).rglob("*")}
        assert files == {path.relative_to(package / name) for path in (package / name).rglob("*")}, name


def test_the_installed_package_finds_its_own_files(python: Path, package: Path, tmp_path: Path) -> None:
    code = "from cuesense import config, package_files; print(len(config.presets()), package_files.__file__)"
    seen = run([str(python), "-c", code], cwd=tmp_path)
    assert seen.stdout.split() == [str(len(list((ROOT / "configs").iterdir()))), str(package / "package_files.py")]


def checked(python: Path, folder: Path) -> str:
    """What a user's strict mypy says of the scripts in a folder."""
    (folder / "mypy.ini").write_text(SETTINGS)
    (folder / "right.py").write_text(RIGHT)
    (folder / "wrong.py").write_text(WRONG)
    command = [sys.executable, "-m", "mypy", "--python-executable", str(python), "right.py", "wrong.py"]
    return run(command, cwd=folder).stdout


def test_a_user_s_mypy_reads_the_types(python: Path, package: Path, tmp_path: Path) -> None:
    first, *rest = checked(python, tmp_path).splitlines()
    assert first.startswith("wrong.py:3: error: Incompatible types in assignment")
    assert 'expression has type "float | None", variable has type "str"' in first
    assert rest == ["Found 1 error in 1 file (checked 2 source files)"]
    marker = package / "py.typed"
    try:
        marker.unlink()
        assert "missing library stubs or py.typed marker" in checked(python, tmp_path)
    finally:
        marker.touch()
