"""Files that announce more than they have are refused before memory or time is spent on them."""

from __future__ import annotations

import io
import json
import resource
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cuesense.errors import ModelError
from cuesense.models import archives, file_formats, pickle_machine, storages, timm, torchvision
from cuesense.models.file_formats import read
from cuesense.models.load import load_classifier
from cuesense.models.pickles import load_pickle
from cuesense.models.trust import Trust
from cuesense.models.weights import MisfitError
from tests.helpers.hostile_files import named, text, whole, zipped


def checkpoint(pickled: bytes, numbers: bytes = bytes(16)) -> bytes:
    return zipped({"m/data.pkl": b"\x80\x02" + pickled + b".", "m/data/0": numbers})


def storage(count: int) -> bytes:
    return b"(" + text("storage") + named("torch.FloatStorage") + text("0") + text("cpu") + whole(count) + b"tQ"


def tensor(count: int, offset: bytes, size: bytes, stride: bytes) -> bytes:
    rebuild = named("torch._utils._rebuild_tensor_v2")
    return b"}" + text("w") + rebuild + b"(" + storage(count) + offset + size + stride + b"\x89}tRs"


def packed(size: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", b"\x80\x02}.")
        with archive.open("m/data/0", "w") as member:
            for _ in range(size >> 20):
                member.write(bytes(1 << 20))
    return target.getvalue()


def overlapping() -> bytes:
    """An archive with one member under a thousand names."""
    data = bytearray(zipped({"m/data.pkl": b"\x80\x02}.", "m/data/0": bytes(1 << 16)}))
    end = data.rindex(b"PK\x05\x06")
    start = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    entry, count = bytes(data[start:end]), 1000
    copies = b"".join(entry.replace(b"data/0", f"d{number:05}".encode()) for number in range(count))
    tail = bytearray(data[end:])
    table = len(data[data.index(b"PK\x01\x02") : end]) + len(copies)
    struct.pack_into("<HHI", tail, 8, count + 2, count + 2, table)
    return bytes(data[:end]) + copies + bytes(tail)


def header(entries: dict[str, object], length: int | None = None) -> bytes:
    data = json.dumps(entries).encode()
    return struct.pack("<Q", len(data) if length is None else length) + data + bytes(16)


def of(shape: list[int], end: int = 16) -> dict[str, object]:
    return {"w": {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}}


HUGE = 1 << 40
BOMBS: dict[str, Callable[[], bytes]] = {
    "numbers that are not there": lambda: checkpoint(tensor(HUGE, b"K\x00", b"(" + whole(HUGE) + b"t", b"(K\x01t")),
    "a shape above its numbers": lambda: checkpoint(tensor(4, b"K\x00", b"(" + whole(HUGE) + b"t", b"(K\x01t")),
    "one number repeated": lambda: checkpoint(tensor(4, b"K\x00", b"(" + whole(HUGE) + b"t", b"(K\x00t")),
    "a step beyond its numbers": lambda: checkpoint(tensor(4, b"K\x00", b"(K\x02t", b"(" + whole(HUGE) + b"t")),
    "a start beyond its numbers": lambda: checkpoint(tensor(4, b"K\x05", b"(K\x01t", b"(K\x01t")),
    "a start before its numbers": lambda: checkpoint(tensor(4, whole(-1), b"(K\x01t", b"(K\x01t")),
    "a text of 4 GB": lambda: checkpoint(b"X\xff\xff\xff\xff"),
    "a number of 255 bytes": lambda: checkpoint(b"\x8a\xff" + bytes(255)),
    "a number of 2 GB": lambda: checkpoint(b"\x8b\xff\xff\xff\x7f"),
    "bytes of 16 EB": lambda: checkpoint(b"\x8e" + b"\xff" * 8),
    "a bytearray of a terabyte": lambda: checkpoint(named("builtins.bytearray") + whole(HUGE) + b"\x85R"),
    "a name without an end": lambda: checkpoint(b"c" + b"a" * 5000),
    "a tuple in a tuple as a key": lambda: checkpoint(b"}" + b")" + b"\x85" * 20_000 + b"Ns"),
    "a container that is copied again and again": lambda: checkpoint(
        b"](" + b"N" * 50_000 + b"eq\x00" + (named("collections.OrderedDict") + b"q\x010") + b"h\x01h\x00\x85R0" * 200
    ),
    "stand-ins in stand-ins": lambda: checkpoint((named("a.B") + b")R") + b"\x85" * 50_000),
    "calls of calls": lambda: checkpoint(named("a.b") + b")R" * 300_000),
    "an object that holds itself": lambda: checkpoint(named("a.B") + b")Rq\x00}" + text("model") + b"h\x00sb"),
    "modules that hold themselves": lambda: checkpoint(
        named("a.B")
        + b")Rq\x00}"
        + text("_parameters")
        + b"}s"
        + text("_buffers")
        + b"}s"
        + text("_modules")
        + b"}"
        + text("x")
        + b"h\x00s"
        + text("y")
        + b"h\x00sssb"
    ),
    "a plain pickle of a terabyte of numbers": lambda: b"\x80\x02" + tensor(HUGE, b"K\x00", b")", b")") + b".",
    "an array of other numbers than its shape": lambda: checkpoint(
        named("numpy._core.multiarray._reconstruct")
        + b")R(K\x01"
        + whole(HUGE)
        + b"\x85"
        + named("numpy.dtype")
        + text("f8")
        + b"\x85R\x89C\x08"
        + bytes(8)
        + b"tb"
    ),
    "a checkpoint in itself": lambda: checkpoint(b"}q\x00" + text("model") + b"h\x00" + b"s"),
    "a stack that is empty": lambda: checkpoint(b"0RRR"),
    "packed zeros": lambda: packed(65 << 20),
    "one member under many names": overlapping,
    "a header of 2^60 bytes": lambda: header(of([4]), 1 << 60),
    "a header longer than the file": lambda: header(of([4]), 5000),
    "a shape that is not there": lambda: header(of([HUGE])),
    "offsets that are not there": lambda: header(of([HUGE], HUGE * 4)),
    "a shape below zero": lambda: header(of([-4])),
    "a name twice": lambda: header({"w": 1}).replace(b'{"w": 1}', b'{"w":1,"w":2}').replace(b"\x08", b"\x0d", 1),
    "lists in lists": lambda: struct.pack("<Q", 200_005) + b'{"a":' + b"[" * 200_000 + bytes(8),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_it_is_refused_at_once(tmp_path: Path, bomb: str) -> None:
    path = tmp_path / "m.pt"
    path.write_bytes(BOMBS[bomb]())
    started = time.process_time()
    with pytest.raises(ModelError) as caught:
        read(path)
    assert time.process_time() - started < 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("arch", ["torchvision:resnet18", "timm:resnet18"])
@pytest.mark.parametrize("classes", [1_500_000, 10**9, 2**61])
def test_a_head_without_numbers_is_refused_before_a_network_is_built_for_it(
    tmp_path: Path, arch: str, classes: int
) -> None:
    entries = {"fc.weight": {"dtype": "F32", "shape": [classes, 0], "data_offsets": [0, 0]}}
    (tmp_path / "m.safetensors").write_bytes(header(entries)[:-16])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError, match=rf"fc\.weight \({classes}, 0\)|damaged") as caught:
        load_classifier(str(tmp_path / "m.safetensors"), arch=arch, trust=Trust(weights_only=True))
    assert "\n" not in str(caught.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20  # kB; such a head takes 3 GB


def test_a_thin_head_is_refused_before_a_network_is_built_for_it() -> None:
    """Its numbers are there, but the network's head would have 512 times as many."""
    state = {"fc.weight": torch.zeros(1).expand(10**8, 1)}
    for library in (torchvision, timm):
        with pytest.raises(MisfitError, match=r"fc\.weight \(100000000, 1\) instead of \(100000000, 512\)"):
            library.load("resnet18", state, None)


def test_a_pickle_that_takes_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.pt"
    path.write_bytes(checkpoint(b"](" + b"N" * 400_000 + b"e"))
    assert len(load_pickle(path)) == 400_000
    monkeypatch.setattr(pickle_machine, "_MOST_SECONDS", 0.01)
    with pytest.raises(ModelError, match="takes more than"):
        load_pickle(path)


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        (whole(2**61 - 2), True),
        (whole(2**61 - 1), False),
        (text("a") + b"K\x01\x86", True),
        (b"K\x01K\x02\x86", False),
        (b")", False),
        (b"G" + bytes(8), True),
        (named("builtins.complex") + b"G" + bytes(8) + b"K\x01\x86R", False),
    ],
)
def test_keys_whose_hash_a_file_can_choose_never_meet(tmp_path: Path, key: bytes, kept: bool) -> None:
    """A million keys of one hash would take Python hours: in their place stand keys that equal no other."""
    (tmp_path / "m.pt").write_bytes(checkpoint(b"}" + key + b"Ns" + key + b"Ns"))
    found = list(load_pickle(tmp_path / "m.pt"))
    assert len(found) == (1 if kept else 2)
    assert kept or all(type(one) is pickle_machine.Built for one in found)


@pytest.mark.parametrize(
    ("module", "limit", "value", "data"),
    [
        (archives, "_LARGEST_TABLE", 100, checkpoint(b"}")),
        (archives, "_MOST_UNPACKED", 4, packed(1 << 20)),
        (file_formats, "_LONGEST_HEADER", 20, header(of([4]))),
        (storages, "_LARGEST_REPEATED", 31, checkpoint(tensor(4, b"K\x00", b"(K\x08t", b"(K\x00t"))),
    ],
)
def test_both_sides_of_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: object, limit: str, value: int, data: bytes
) -> None:
    path = tmp_path / "m.pt"
    path.write_bytes(data)

    def refused() -> bool:
        try:
            read(path)
        except ModelError as error:
            return "no weights in it" not in str(error)
        return False

    assert not refused()
    monkeypatch.setattr(module, limit, value)
    assert refused()


def test_views_and_shared_numbers_are_read_as_they_were_saved(tmp_path: Path) -> None:
    base = torch.arange(24.0).reshape(4, 6)
    saved = {
        "base": base,
        "part": base[1:3, ::2],
        "turned": base.T,
        "scalar": torch.tensor(3.0, dtype=torch.float64),
        "empty": torch.zeros(0, 3),
        "repeated": torch.ones(1, 4).expand(3, 4),
        **{str(kind): torch.tensor([0, 1, 1]).to(kind) for kind in (torch.bool, torch.bfloat16, torch.int8)},
        "new": torch.tensor([1, 2], dtype=torch.uint16),
    }
    for new in (True, False):
        kept = {name: value for name, value in saved.items() if new or name != "new"}
        torch.save(kept, tmp_path / "m.pt", _use_new_zipfile_serialization=new)
        found = load_pickle(tmp_path / "m.pt", modules=False)
        assert found.keys() == kept.keys()
        assert all(torch.equal(found[name], value) and found[name].dtype == value.dtype for name, value in kept.items())
