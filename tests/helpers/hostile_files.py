"""Files that try to run code, to write, or to exhaust memory when a model is loaded; made from a seed.

Every file does its deed by one of many calls, put into a pickle in one of many ways, in one of many containers. The
deed leaves something in a folder, which must stay empty.
"""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

Maker = Callable[[random.Random, Path], bytes]

_MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
_NUMBERS = struct.pack("<4f", 1, 2, 3, 4)


def text(value: str) -> bytes:
    """Push a text."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def whole(value: int) -> bytes:
    """Push a whole number."""
    data = value.to_bytes(8, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def named(name: str) -> bytes:
    """Push what a dotted name stands for."""
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def listed(*items: bytes) -> bytes:
    """Push a tuple of what is pushed."""
    return b"(" + b"".join(items) + b"t"


def deeds(canary: Path) -> list[tuple[str, bytes]]:
    """Return calls that leave something at a path, or allocate without end, as names and pushed arguments."""
    shell, python, place = f"touch {canary}", f"open({str(canary)!r}, 'w').close()", str(canary)
    two = text(place) + text("w")
    payload = b"\x80\x02" + named("os.system") + listed(text(shell)) + b"R."
    raw = text(payload.decode("latin-1")) + text("latin1")
    data = named("_codecs.encode") + listed(raw) + b"R"
    return [
        *((name, text(shell)) for name in ("os.system", "posix.system", "subprocess.getoutput", "os.popen")),
        *((name, text(python)) for name in ("builtins.eval", "builtins.exec", "__builtin__.eval", "timeit.timeit")),
        *((name, text(python)) for name in ("cProfile.run", "pdb.run", "bdb.Bdb.run", "code.InteractiveInterpreter")),
        *((name, two) for name in ("builtins.open", "io.open", "_io.open", "codecs.open", "gzip.open", "bz2.open")),
        *((name, text(place)) for name in ("os.mkdir", "os.makedirs", "pathlib.Path.touch", "sqlite3.connect")),
        *((name, text(place)) for name in ("logging.FileHandler", "tempfile.mkdtemp", "shelve.open", "dbm.dumb.open")),
        ("os.symlink", text("/") + text(place)),
        ("shutil.copyfile", text("/etc/hostname") + text(place)),
        ("subprocess.check_output", b"](" + text("touch") + text(place) + b"e"),
        ("subprocess.Popen", b"](" + text("touch") + text(place) + b"e"),
        ("torch.save", b"K\x01" + text(place)),
        ("torch.serialization.save", b"K\x01" + text(place)),
        ("torch.storage._load_from_bytes", data),
        ("torch.load", text(place)),
        ("torch.jit.load", text(place)),
        ("torch.hub.load", text(place) + text("evil") + b"N" + text("local")),
        ("torch.nn.Module.__call__", text(python)),
        ("timm.models.load_checkpoint", text(place)),
        ("torchvision.models.resnet18", b"\x88"),
        ("numpy.save", text(place) + b"K\x01"),
        ("numpy.memmap", text(place) + text("uint8") + text("w+")),
        ("numpy.f2py.compile", text(python)),
        ("numpy.testing._private.utils.runstring", text(python) + b"}"),
        ("runpy.run_path", text(place)),
        ("importlib.import_module", text("evil")),
        ("builtins.__import__", text("evil")),
        ("pickle.loads", data),
        ("_pickle.loads", data),
        ("functools.partial", named("os.system") + text(shell)),
        ("operator.attrgetter", text("system")),
        ("builtins.getattr", named("os.path") + text("system")),
        ("builtins.bytearray", whole(1 << 40)),
        ("torch.FloatStorage", whole(1 << 40)),
        ("torch.FloatTensor", whole(1 << 40)),
        ("torch.UntypedStorage", whole(1 << 40)),
        ("torch.zeros", whole(1 << 40)),
        ("torch.nn.Linear", whole(1 << 20) + whole(1 << 20)),
        ("torch.nn.modules.linear.Linear", whole(1 << 20) + whole(1 << 20)),
        ("torch._utils._rebuild_sparse_tensor", named("torch.sparse_coo") + listed(b"NNN\x89")),
        ("torch._utils._rebuild_nested_tensor", b"NNNN"),
        ("torch._utils._rebuild_qtensor", b"NNNNNNN"),
        ("torch._utils._rebuild_meta_tensor_no_storage", named("torch.float32") + listed(whole(1 << 40)) + b"N\x89"),
        ("torch._utils._rebuild_device_tensor_from_numpy", b"NNN\x89"),
        ("torch._utils._rebuild_wrapper_subclass", named("os.system") + b"NNNNN\x89"),
        (
            "torch._tensor._rebuild_from_type_v2",
            named("os.system") + named("torch.Tensor") + listed(text(shell)) + b"}",
        ),
        ("torch._utils._rebuild_parameter", named("os.system") + b"\x88}"),
        ("torch._utils._rebuild_tensor_v2", _storage(1 << 40) + b"K\x00" + listed(whole(1 << 40)) + b"(K\x01t\x89}"),
        ("torch._utils._rebuild_tensor_v2", _storage(4) + b"K\x00" + listed(whole(1 << 40)) + b"(K\x00t\x89}"),
        ("torch._utils._rebuild_tensor_v2", _storage(4) + whole(-8) + b"(K\x02t(K\x01t\x89}"),
        ("torch._utils._rebuild_tensor_v2", _storage(4) + b"K\x00(K\x02t" + listed(whole(1 << 40)) + b"\x89}"),
        ("collections.OrderedDict", b"K\x07"),
        ("collections.Counter", text("x")),
        ("numpy.dtype", text("O8") + b"\x89\x88"),
        ("numpy._core.multiarray._reconstruct", named("numpy.ndarray") + b"(K\x00t" + text("b")),
        ("argparse.FileType", text("w")),
    ]


def _storage(count: int) -> bytes:
    return listed(text("storage"), named("torch.FloatStorage"), text("0"), text("cpu"), whole(count)) + b"Q"


def _tensor() -> bytes:
    arguments = listed(_storage(4), b"K\x00", b"(K\x04t", b"(K\x01t", b"\x89", b"}")
    return named("torch._utils._rebuild_tensor_v2") + arguments + b"R"


def _reduced(name: str, arguments: bytes) -> bytes:
    return named(name) + listed(arguments) + b"R"


def _by_stack_global(name: str, arguments: bytes) -> bytes:
    module, _, attribute = name.rpartition(".")
    return text(module) + text(attribute) + b"\x93" + listed(arguments) + b"R"


def _by_instance(name: str, arguments: bytes) -> bytes:
    module, _, attribute = name.rpartition(".")
    return b"(" + arguments + f"i{module}\n{attribute}\n".encode()


CALLS: tuple[Callable[[str, bytes], bytes], ...] = (
    _reduced,
    lambda name, arguments: named(name) + listed(arguments) + b"\x81",
    lambda name, arguments: named(name) + listed(arguments) + b"}\x92",
    lambda name, arguments: b"(" + named(name) + arguments + b"o",
    _by_stack_global,
    _by_instance,
    lambda name, arguments: b"\x82" + bytes([len(name)]) + listed(arguments) + b"R",
    lambda name, arguments: _reduced(name, arguments) + b"Q",
    lambda name, arguments: named(name) + b"q\x07" + b"0h\x07" + listed(arguments) + b"R",
    lambda name, arguments: _reduced("functools.partial", named(name) + arguments) + b")R",
    lambda name, arguments: named("torch.nn.modules.linear.Linear") + b")\x81}" + _reduced(name, arguments) + b"b",
    lambda name, arguments: named("argparse.Namespace") + b")R}" + text("a") + _reduced(name, arguments) + b"sb",
    lambda name, arguments: named("collections.OrderedDict") + b")R" + _reduced(name, arguments) + b"b",
)
PLACES: tuple[Callable[[bytes], bytes], ...] = (
    lambda deed: deed,
    lambda deed: b"}" + text("state_dict") + b"}" + text("w") + _tensor() + b"ss" + text("extra") + deed + b"s",
    lambda deed: b"}" + deed + text("a value") + b"s",
    lambda deed: b"](" + deed + deed + b"e",
    lambda deed: deed + b"\x85" * 3000,
    lambda deed: listed(text("storage"), deed, text("0"), text("cpu"), b"K\x04") + b"Q",
    lambda deed: listed(text("storage"), named("torch.FloatStorage"), text("../0"), deed, b"K\x04") + b"Q",
    lambda deed: listed(text("module"), deed, text("evil.py"), text("source")) + b"Q",
    lambda deed: named("torch._utils._rebuild_tensor_v2") + listed(_storage(4), b"K\x00", deed, b")\x89", deed) + b"R",
    lambda deed: b"}" + text("w") + named("torch._utils._rebuild_parameter") + listed(_tensor(), b"\x88", deed) + b"Rs",
)


def zipped(members: dict[str, bytes], random_: random.Random | None = None) -> bytes:
    """Return an archive, at times with a doubled, a linked or an escaping member, or packed."""
    odd = random_.choice(("", "", "", "double", "slip", "link", "packed", "case")) if random_ else ""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED if odd == "packed" else zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, archive.compression)
        if odd == "slip":
            archive.writestr("../canary/slipped", b"x")
        if odd == "link":
            link = zipfile.ZipInfo("m/data/link")
            link.external_attr = 0o120777 << 16
            archive.writestr(link, "../../canary/linked")
        first = next(iter(members))
        if odd == "double":
            archive.NameToInfo.clear()
            archive.writestr(zipfile.ZipInfo(first), b"\x80\x02}.")
        if odd == "case":
            archive.writestr(first.upper(), b"\x80\x02}.")
    return target.getvalue()


def _plain(pickled: bytes, random_: random.Random) -> bytes:
    return random_.choice((b"\x80\x02", b"\x80\x04", b"\x80\x05")) + pickled + b"."


def _checkpoint(pickled: bytes, random_: random.Random) -> bytes:
    members = {"m/data.pkl": b"\x80\x02" + pickled + b".", "m/byteorder": b"little", "m/data/0": _NUMBERS}
    return zipped(members | {"m/version": b"3\n"}, random_)


def _before_1_6(pickled: bytes, random_: random.Random) -> bytes:
    parts = [
        _MAGIC,
        pickle.dumps(1001, protocol=2),
        pickle.dumps({"little_endian": True}, protocol=2),
        pickle.dumps({}, protocol=2),
        pickle.dumps(["0"], protocol=2),
    ]
    parts[random_.choice((0, 1, 2, 3, 3, 3, 3, 4))] = b"\x80\x02" + pickled + b"."
    return b"".join(parts) + struct.pack("<q", 4) + _NUMBERS


def _tar(pickled: bytes, _: random.Random) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name in ("storages", "tensors", "pickle", "../canary/tar"):
            member = tarfile.TarInfo(name)
            data = b"\x80\x02" + pickled + b"."
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return target.getvalue()


def _torchscript(pickled: bytes, random_: random.Random) -> bytes:
    code = b"class M(Module):\n  def forward(self, x):\n    torch.save(x, 'canary')\n    return x\n"
    members = {"m/data.pkl": b"\x80\x02" + pickled + b".", "m/code/__torch__.py": code, "m/version": b"3\n"}
    return zipped(members | {"m/constants.pkl": b"\x80\x02)."}, random_)


def _exported(pickled: bytes, random_: random.Random) -> bytes:
    members = {
        "m/archive_format": b"pt2",
        "m/models/model.json": json.dumps({"guards_code": [pickled.hex()]}).encode(),
        "m/data/sample_inputs/model.pt": b"\x80\x02" + pickled + b".",
        "m/data/weights/model_weights_config.json": b'{"config": {}}',
        "m/data/constants/opaque_obj_0": b"\x80\x02" + pickled + b".",
    }
    return zipped(members, random_)


def _safetensors(pickled: bytes, random_: random.Random) -> bytes:
    entry = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}
    header = {
        "__metadata__": {"code": pickled.hex()},
        "../canary/name": entry | {"shape": [random_.choice((4, 1 << 40, -4))]},
    }
    data = json.dumps(header).encode()
    length = random_.choice((len(data), len(data), 1 << 40, (1 << 63) - 1))
    return struct.pack("<Q", length) + data + _NUMBERS + pickled


def _polyglot(pickled: bytes, random_: random.Random) -> bytes:
    """A pickle and an archive in one file, in either order."""
    first, second = random_.sample((_plain(pickled, random_), _checkpoint(pickled, random_), _tar(pickled, random_)), 2)
    return first + second


CONTAINERS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "pickle": _plain,
    "checkpoint": _checkpoint,
    "checkpoint before 1.6": _before_1_6,
    "tar": _tar,
    "TorchScript": _torchscript,
    "torch.export": _exported,
    "safetensors": _safetensors,
    "polyglot": _polyglot,
}


def hostile_files(count: int, canaries: Path, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield hostile files, every container as often as every other.

    Args:
        count: How many.
        canaries: Folder in which deeds would leave something.
        seed: Seed of all choices.

    Yields:
        What the file is, and its bytes.
    """
    random_ = random.Random(seed)
    kinds = list(CONTAINERS)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        canary = canaries / f"{number}"
        name, arguments = random_.choice(deeds(canary))
        deed = random_.choice(CALLS)(name, arguments)
        yield f"{kind}: {name}", CONTAINERS[kind](random_.choice(PLACES)(deed), random_)


def damaged(data: bytes, random_: random.Random) -> bytes:
    """Return a file with flipped bits, cut off, or with a part moved, repeated or overwritten."""
    way = random_.choice(("bits", "byte", "cut", "splice", "repeat", "zeros", "number"))
    start, end = sorted((random_.randrange(len(data)), random_.randrange(len(data))))
    if way == "cut":
        return data[:start]
    if way == "splice":
        return data[:start] + data[end:]
    if way == "repeat":
        return data[:end] + data[start:]
    if way == "zeros":
        return data[:start] + bytes(min(end - start, 64)) + data[start + min(end - start, 64) :]
    changed = bytearray(data)
    if way == "number":
        changed[start : start + 4] = random_.choice((b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0"))
        return bytes(changed)
    for _ in range(random_.choice((1, 1, 2, 8))):
        place = random_.randrange(len(changed))
        changed[place] = changed[place] ^ (1 << random_.randrange(8)) if way == "bits" else random_.randrange(256)
    return bytes(changed)
