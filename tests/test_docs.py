"""The README's commands and code run as they stand; the documents tell the truth about the repository."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import cuesense
from cuesense import registry
from cuesense.cli.app import app
from cuesense.errors import SettingsError
from cuesense.models.compact import build
from tests.conftest import make_folder
from tests.helpers.simulated_sweeps import Truth, level, simulated, table
from tests.helpers.small_networks import NAMES, SIZE, Meanest, picture

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTIONS = dict(part.split("\n", 1) for part in README.split("\n## ")[1:])
BLOCKS = {
    title: match[1] for title, text in SECTIONS.items() if (match := re.search(r"```sh\n(.*?)```", text, re.DOTALL))
}


def test_ci_runs_the_readme_s_test_command_and_nothing_else() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").strip().splitlines()
    assert script[-1] == BLOCKS["Develop"].strip()
    *others, browser, required = (line for line in script[:-1] if not line.startswith("#"))
    assert all(line.startswith(("set ", "cd ")) for line in others if not line.startswith("#!"))
    assert "apt-get install -qq -y chromium" in browser
    assert "`apt-get install chromium`" in SECTIONS["Develop"]
    assert required.removeprefix("export ") in SECTIONS["Develop"]


def test_the_readme_s_installation_uses_files_that_are_there() -> None:
    for block in (BLOCKS["Try it"], BLOCKS["Develop"]):
        assert len(block.strip().splitlines()) == 1
        assert "-c constraints.txt" in block
    assert (ROOT / "constraints.txt").is_file()
    assert os.access(ROOT / "check", os.X_OK)


def test_constraints_pin_every_requirement_and_name_no_address() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert {re.split(r"[\[><=]", entry)[0].lower().replace("_", "-") for entry in wanted} <= pinned
    assert not any("://" in line or " @ " in line for line in lines)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the README speaks of."""
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(SIZE), Meanest())
    batch = torch.export.Dim("batch", min=1, max=128)
    exported = torch.export.export(network, (torch.rand(2, 3, 64, 64),), dynamic_shapes=({0: batch},))
    torch.export.save(exported, tmp_path / "model.pt2")
    for place, (name, images) in enumerate((("photos", 70), ("train", 8), ("test", 8))):
        make_folder(tmp_path / name, images, first=1000 * place)
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_of_use_it_runs_as_it_stands(workplace: Path) -> None:
    commands = BLOCKS["Use it on your model"].strip().splitlines()
    assert len(commands) == 8
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "cuesense"
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, (command, done.output)
    assert (workplace / "out" / "report.html").stat().st_size > 10_000
    assert (workplace / "preview.png").is_file()
    assert "grass" in (workplace / "report.md").read_text(encoding="utf-8")
    assert (workplace / "cuesense-verified" / "forecast.svg").is_file()
    assert "v2.RandomApply" in (workplace / "transform.py").read_text(encoding="utf-8")


@pytest.fixture
def sweep(workplace: Path) -> Path:
    """What the commands about runs speak of, beside the files of the others."""
    code = "from cuesense.models.compact import build as network\n\n\ndef build():\n    return network(3)\n"
    (workplace / "network.py").write_text(code)
    rows = ["model,regularizer,strength,seed"]
    for strength in (0, 0.1):
        for seed in range(2):
            torch.manual_seed(seed)
            torch.save(build(3).state_dict(), workplace / f"{strength}-{seed}.pt")
            rows.append(f"{strength}-{seed}.pt,weight_decay,{strength},{seed}")
    (workplace / "runs.csv").write_text("\n".join(rows))
    accuracies = table(simulated(Truth(level(3, 5)), 0)).assign(regularizer="weight_decay")
    accuracies.to_csv(workplace / "accuracies.csv", index=False)
    make_folder(workplace / "flowers", 10, first=3000)
    for name in ("before", "after"):
        with pytest.warns(cuesense.CuesenseWarning, match="assumed mean"):
            cuesense.analyze(
                Meanest(), str(workplace / "test"), class_names=NAMES, config="quick", output=workplace / name
            )
    return workplace


def test_every_command_about_runs_runs_as_it_stands(sweep: Path) -> None:
    commands = BLOCKS["Audit runs that you have trained"].strip().splitlines()
    assert len(commands) == 5
    for command in commands:
        _, *arguments = shlex.split(command)
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, (command, done.output)
    for name in ("audit", "transfer", "logs"):
        assert (sweep / name / "audit.html").is_file()
    assert (sweep / "compared" / "compare.json").is_file()
    assert "testcase" in (sweep / "check.xml").read_text(encoding="utf-8")


def test_the_demo_recovers_the_planted_cues(tmp_path: Path) -> None:
    """The README's first command after the installation."""
    installed = BLOCKS["Try it"].strip().rpartition("&& ")[2]
    command = installed.replace(".venv/bin/cuesense", f"{sys.executable} -m cuesense")
    done = subprocess.run(shlex.split(command), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    recovered, total = re.findall(r"(\d+) of (\d+) planted cues", done.stderr)[0]
    assert int(total) == 12
    # Of the four textures two are near the limit of certainty and are called fine detail (docs/method.md).
    assert int(recovered) >= 10
    assert (tmp_path / "demo" / "report.html").is_file()


def test_the_notebook_code_runs() -> None:
    code = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert code is not None
    data = [(picture(number, number % 3), number % 3) for number in range(60)]
    scope = {"model": Meanest(), "dataset": data, "names": NAMES}
    exec(code[1], scope)
    assert scope["profile"].to_frame()["cue"].tolist() == ["color"] * 3  # type: ignore[attr-defined]
    assert repr(scope["augment"]).startswith("PolicyAugmentation(scope='global', probability=0.")


def test_links_and_pictures_of_the_readme_exist() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (ROOT / target).exists(), target


def test_contributing_names_files_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for path in re.findall(r"`((?:cuesense|tests|benchmarks|assets)/[\w./]*)`", text):
        assert (ROOT / path).exists(), path


def breaks() -> list[tuple[str, str, str, str]]:
    """The table of benchmarks/breaks.py: file, text, its replacement, test file."""
    tree = ast.parse((ROOT / "benchmarks" / "breaks.py").read_text(encoding="utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    table = next(node.value for node in assigned if ast.unparse(node.targets[0]) == "BREAKS")
    return ast.literal_eval(table)


def test_contributing_s_table_is_what_breaks_runs() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| .* \| `(tests/[\w/]+\.py)` \|$", text, flags=re.MULTILINE)
    assert listed == [caught_by for *_, caught_by in breaks()]


def test_every_break_s_line_is_in_the_code_once() -> None:
    counts = {(file, line): (ROOT / file).read_text(encoding="utf-8").count(line) for file, line, *_ in breaks()}
    assert {entry: count for entry, count in counts.items() if count != 1} == {}


def test_contributing_s_map_shows_every_folder() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawn = text.split("```")[1]
    folders = {path.parent.name for path in (ROOT / "cuesense").glob("*/__init__.py")}
    assert {name for name in folders if f"{name}/" not in drawn} == set()


def test_the_functions_that_the_readme_names_are_public() -> None:
    assert set(re.findall(r"`cuesense\.(\w+)`", README)) <= set(cuesense.__all__)


def test_every_public_name_has_a_docstring() -> None:
    for name in cuesense.__all__:
        assert getattr(cuesense, name).__doc__, name
    with pytest.raises(AttributeError):
        cuesense.nothing  # noqa: B018


def test_the_registry_finds_everything_it_names_and_suggests_names() -> None:
    for kind in registry.KINDS:
        for name in registry.names(kind):
            assert registry.get(kind, name) is not None
    with pytest.raises(SettingsError, match="Did you mean 'planted'"):
        registry.get("datasets", "plantet")


def test_the_command_of_class_dependence_names_the_class_that_pays(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "class-dependence.md").read_text(encoding="utf-8")
    command = re.search(r"^cuesense (audit --accuracies .*)$", text, flags=re.MULTILINE)
    assert command is not None
    arguments = [str(ROOT / part) if part.endswith(".csv") else part for part in shlex.split(command[1])]
    done = CliRunner().invoke(app, [*arguments, "--output", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["chosen_by_mean"], [entry["name"] for entry in found["classes"] if entry["harmed"]]) == (
        2.0,
        ["thatch"],
    )
