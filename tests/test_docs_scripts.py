"""The scripts that make what the pages show: the example's files, and the outputs under the commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.documents import script

PAGE = """\
```sh
cuesense explain out shape-2
```

<!-- output of: cuesense explain out shape-2 -->
```text
old
```

    <!-- output of: cuesense recommend out (first 2 lines) -->
    ```text
    old
    ```

```toml title="model.toml"
size = 64
```

```text
photos/
```
"""


def test_the_example_has_other_images_in_every_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = script("example")
    monkeypatch.setattr(example, "PARTS", {"train": 1, "val": 2, "test": 1})
    example.write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"best.pt", "network.py", "photos"}
    images = [path.read_bytes() for path in (tmp_path / "photos").rglob("*.png")]
    assert len(images) == 12 * 4
    assert len(set(images)) == len(images)
    assert [path.name for path in sorted((tmp_path / "photos" / "test" / "color-0").iterdir())] == ["0002.png"]


def test_outputs_are_renewed_where_they_are_marked_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = script("outputs")
    monkeypatch.setattr(outputs, "printed", lambda command, folder: f"{command}\n{folder.name}\nlast")
    renewed = outputs.renewed(PAGE, tmp_path)
    assert f"-->\n```text\ncuesense explain out shape-2\n{tmp_path.name}\nlast\n```\n" in renewed
    assert f"    ```text\n    cuesense recommend out\n    {tmp_path.name}\n    ...\n    ```\n" in renewed
    assert renewed.endswith("```text\nphotos/\n```\n")
    assert "old" not in renewed
    assert outputs.renewed(renewed, tmp_path) == renewed
    assert (tmp_path / "model.toml").read_text() == "size = 64\n"


def test_a_file_of_a_page_is_written_after_the_commands_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = script("outputs")
    monkeypatch.setattr(outputs, "printed", lambda _, folder: f"written: {(folder / 'model.toml').is_file()}")
    below = "<!-- output of: cuesense list models -->\n```text\nold\n```\n"
    renewed = outputs.renewed(PAGE + below, tmp_path)
    said = [line.strip() for line in renewed.splitlines() if "written" in line]
    assert said == ["written: False", "written: False", "written: True"]


def test_every_marked_output_stands_under_the_command_that_prints_it() -> None:
    outputs = script("outputs")
    pages = {name: (outputs.DOCS / f"{name}.md").read_text(encoding="utf-8") for name in outputs.PAGES}
    marks = [(page, match) for page in pages.values() for match in outputs.MARK.finditer(page)]
    assert len(marks) >= 4
    for page, match in marks:
        assert f"```sh\n{match['command']}\n```" in page[: match.start()]
