"""Damage to files as bytes: flipped bits, cuts, splices, tokens that parsers treat specially."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random

# What breaks parsers: numbers at the ends of their ranges, other encodings, marks of other formats.
TOKENS: tuple[bytes, ...] = (
    b"",
    b"\x00",
    b"\x00" * 64,
    b"\xff" * 8,
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x80",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xe9\xe8",
    b"\xed\xa0\x80",
    b"\r",
    b"\n\n",
    b'"',
    b"'",
    b",",
    b";",
    b"\t",
    b"{",
    b"}",
    b"[",
    b"]",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"-1",
    b"0",
    b"9" * 400,
    b"9" * 5000,
    b"null",
    b"true",
    b"\\u0000",
    b"\\ud800",
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"PAR1",
    b"\x89PNG\r\n\x1a\n",
    b"\x80\x02",
    b"cos\nsystem\n",
    b"ctorch\nload\n",
    b"(lp0\n",
    b"=cmd",
    "\u0130\u2028\u00e9e\u0301".encode(),
)
# Places near the start hold what a format announces: sizes, types, counts.
_HEADER = 64
_LONGEST_RANGE = 200


def mutate_bytes(random: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Return content with one to four random damages.

    Args:
        random: Source of all choices.
        content: The bytes of a file.
        others: Other good files of the same reader, for splices.
    """
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        damage = random.choice(_DAMAGES)
        content = damage(random, content, random.choice(others) if others else content)
    return content


def _place(random: Random, content: bytes) -> int:
    limit = min(len(content), _HEADER) if random.random() < 0.3 else len(content)
    return random.randrange(limit) if limit else 0


def _range(random: Random, content: bytes) -> tuple[int, int]:
    start = _place(random, content)
    return start, min(len(content), start + random.randint(1, _LONGEST_RANGE))


def _flip_bits(random: Random, content: bytes, _: bytes) -> bytes:
    changed = bytearray(content)
    for _flip in range(random.choice((1, 1, 2, 8, 32)) if changed else 0):
        changed[_place(random, content)] ^= 1 << random.randrange(8)
    return bytes(changed)


def _random_bytes(random: Random, content: bytes, _: bytes) -> bytes:
    start, end = _range(random, content)
    return content[:start] + random.randbytes(end - start) + content[end:]


def _truncate(random: Random, content: bytes, _: bytes) -> bytes:
    return content[: random.randint(0, len(content))]


def _cut_start(random: Random, content: bytes, _: bytes) -> bytes:
    return content[_place(random, content) :]


def _delete(random: Random, content: bytes, _: bytes) -> bytes:
    start, end = _range(random, content)
    return content[:start] + content[end:]


def _repeat(random: Random, content: bytes, _: bytes) -> bytes:
    start, end = _range(random, content)
    return content[:end] + content[start:end] * random.choice((1, 1, 3, 300)) + content[end:]


def _insert_token(random: Random, content: bytes, _: bytes) -> bytes:
    place = _place(random, content)
    return content[:place] + random.choice(TOKENS) + content[place:]


def _overwrite_with_token(random: Random, content: bytes, _: bytes) -> bytes:
    place, token = _place(random, content), random.choice(TOKENS)
    return content[:place] + token + content[place + len(token) :]


def _overwrite_number(random: Random, content: bytes, _: bytes) -> bytes:
    number = random.choice((0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1))
    packed = struct.pack(random.choice("<>") + "I", number)
    place = _place(random, content)
    return content[:place] + packed + content[place + 4 :]


def _splice(random: Random, content: bytes, other: bytes) -> bytes:
    return content[: _place(random, content)] + other[_place(random, other) :]


def _reencode(random: Random, content: bytes, _: bytes) -> bytes:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content
    name = random.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp1252", "latin-1"))
    return (text + random.choice(("", "\u00e9"))).encode(name, errors="replace")


def _other_file(random: Random, _content: bytes, other: bytes) -> bytes:
    return random.choice((other, b"", b"\n", b"\x00" * 4096, b" ", random.randbytes(300)))


_DAMAGES: tuple[Callable[[Random, bytes, bytes], bytes], ...] = (
    _flip_bits,
    _flip_bits,
    _random_bytes,
    _truncate,
    _truncate,
    _cut_start,
    _delete,
    _repeat,
    _insert_token,
    _insert_token,
    _overwrite_with_token,
    _overwrite_number,
    _splice,
    _reencode,
    _other_file,
)


def mutate_png(random: Random, content: bytes) -> bytes:
    """Return a PNG with other announced sizes, depth or color type, and a right checksum of its header."""
    if not content.startswith(b"\x89PNG") or len(content) < 33:
        return content
    header = bytearray(content[12:29])
    kind = random.choice(("size", "depth"))
    if kind == "size":
        sizes = (0, 1, 7, 4096, 65535, 2**20, 2**31 - 1, 2**32 - 1)
        header[4:12] = struct.pack(">II", random.choice(sizes), random.choice(sizes))
    else:
        header[12:17] = random.randbytes(5) if random.random() < 0.5 else bytes((16, random.randrange(8), 0, 0, 0))
    return content[:12] + bytes(header) + struct.pack(">I", zlib.crc32(header)) + content[33:]
