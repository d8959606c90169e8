"""What kind a model's file is, by its content alone."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from cuesense.errors import ModelError
from cuesense.models.first_bytes import Kind, kind_of

HEADER = b'{"a":{}}'


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x80\x02}q\x00.", Kind.PICKLE),
        (len(HEADER).to_bytes(8, "little") + HEADER, Kind.SAFETENSORS),
        (b"\x08\x09\x12\x07pytorch", Kind.ONNX),
        (b'{"metadata": {}, "weight_map": {"a": "b"}}', Kind.INDEX),
    ],
)
def test_a_start_tells_the_kind_whatever_the_name(tmp_path: Path, content: bytes, kind: Kind) -> None:
    path = tmp_path / "net.txt"
    path.write_bytes(content)
    assert kind_of(path) is kind
    assert kind.has_network is (kind is Kind.ONNX)


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        (("net/data.pkl", "net/data/0"), Kind.PICKLE),
        (("net/data.pkl", "net/code/net.py"), Kind.TORCHSCRIPT),
        (("net/archive_format", "net/models/model.json"), Kind.EXPORTED),
        (("serialized_exported_program.json",), Kind.EXPORTED),
    ],
)
def test_the_names_in_an_archive_tell_the_kind(tmp_path: Path, members: tuple[str, ...], kind: Kind) -> None:
    with zipfile.ZipFile(tmp_path / "net", "w") as archive:
        for name in members:
            archive.writestr(name, b"x")
    assert kind_of(tmp_path / "net") is kind
    assert kind.has_network is (kind is not Kind.PICKLE)


def test_an_index_is_none_among_the_parts_that_it_lists(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors.index.json"
    path.write_text('{"weight_map": {"a": "model.safetensors.index.json"}}')
    assert kind_of(path) is Kind.INDEX
    with pytest.raises(ModelError, match="a JSON file"):
        kind_of(path, is_part=True)


def test_a_part_alone_is_refused_and_read_as_a_part(tmp_path: Path) -> None:
    path = tmp_path / "model-00001-of-00002.safetensors"
    path.write_bytes(len(HEADER).to_bytes(8, "little") + HEADER)
    with pytest.raises(ModelError, match="part 1 of 2"):
        kind_of(path)
    assert kind_of(path, is_part=True) is Kind.SAFETENSORS
