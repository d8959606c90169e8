"""Damage to JSON, CSV and TOML that leaves them well-formed: other types, lengths, names and numbers."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Any

_TEXTS = ("", " ", "x", "clean", "0", "-1", "NaN", "\u00e9", "e\u0301", "\u202e", "\x00", "\ud800", "a" * 5000, "=1+1")
_NUMBERS = (
    0,
    -1,
    1,
    2,
    0.5,
    1.5,
    -0.0,
    1e-320,
    1e300,
    -1e300,
    2**31,
    2**63,
    -(2**63) - 1,
    10**400,
    float("nan"),
    float("inf"),
)


def mutate_json(random: Random, content: bytes) -> bytes:
    """Return a JSON document with one to three values of other types, lengths or sizes; unchanged where it is none."""
    try:
        document = _parsed(content)
    except (ValueError, RecursionError):
        return content
    # Many documents should be read, so that what comes after reading is tried as well.
    change = random.choice((_other, _similar))
    for _ in range(random.choice((1, 1, 2, 3))):
        document = _changed(random, document, change)
    try:
        text = json.dumps(document)
    except (ValueError, RecursionError):
        return content
    if random.random() < 0.05:
        text = _with_double_key(random, text)
    return text.encode(errors="surrogatepass")


# Good files come again and again; a change copies what it changes.
@lru_cache(maxsize=64)
def _parsed(content: bytes) -> Any:
    return json.loads(content)


def _changed(random: Random, document: Any, change: Callable[[Random, Any], Any]) -> Any:
    """Return the document with a change at a random place: every step of the way down is as likely to be the place."""
    here = not isinstance(document, dict | list) or not document or random.random() < 0.12
    if here:
        return change(random, document)
    key = random.choice(list(document)) if isinstance(document, dict) else random.randrange(len(document))
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    copy[key] = _changed(random, document[key], change)
    return copy


def _other(random: Random, value: Any) -> Any:
    if isinstance(value, dict) and value and random.random() < 0.7:
        return _other_object(random, value)
    if isinstance(value, list) and random.random() < 0.7:
        return _other_list(random, value)
    if isinstance(value, int | float) and not isinstance(value, bool) and random.random() < 0.8:
        if abs(value) > 1e15:
            return random.choice(_NUMBERS)
        return random.choice((value + 1, value - 1, -value, value * 1000, value + 0.5, random.choice(_NUMBERS)))
    return random.choice((None, True, [], {}, [[1]], {"x": 1}, random.choice(_TEXTS), random.choice(_NUMBERS), _deep()))


def _similar(random: Random, value: Any) -> Any:
    """Return a value of the same type, near the old one."""
    if isinstance(value, bool) or value is None:
        return random.choice((True, False, None, 0.5))
    if isinstance(value, int):
        return max(0, value + random.choice((-1, 0, 1, -value)))
    if isinstance(value, float):
        return random.choice((0.0, 1.0, value * 0.9, value * 1.1, value + 1e-9, 1e-300))
    if isinstance(value, str):
        return random.choice((*_TEXTS[:11], value.upper(), value + "<b>&'\"", value * 2))
    if isinstance(value, dict):
        return {name: part for name, part in value.items() if random.random() < 0.9}
    return random.choice((value, value[:-1], [*value, *value[-1:]]))


def _other_object(random: Random, value: dict[str, Any]) -> dict[str, Any]:
    key = random.choice(list(value))
    rest = {name: part for name, part in value.items() if name != key}
    return random.choice(
        (
            rest,
            rest | {random.choice(_TEXTS): value[key]},
            value | {random.choice(_TEXTS): random.choice(_NUMBERS)},
            value | {key: rest.get(random.choice(list(rest))) if rest else None},
            dict(reversed(value.items())),
            {},
        )
    )


def _other_list(random: Random, value: list[Any]) -> list[Any]:
    if not value:
        return [random.choice(_NUMBERS)]
    place = random.randrange(len(value))
    shuffled = random.sample(value, len(value))
    return random.choice(
        (
            value[:place] + value[place + 1 :],
            [*value, value[place]],
            value[:place],
            shuffled,
            value * 3,
            [],
            [value],
            [*value, random.choice(_NUMBERS)],
        )
    )


def _deep() -> Any:
    value: Any = 1
    for _ in range(300):
        value = [value]
    return value


def _with_double_key(random: Random, text: str) -> str:
    starts = [found.start() for found in re.finditer(r'\{"', text)]
    if not starts:
        return text
    start = random.choice(starts)
    key = re.match(r'\{("(?:[^"\\]|\\.)*": )', text[start:])
    return text if key is None else f"{text[: start + 1]}{key[1]}1, {text[start + 1 :]}"


def mutate_csv(random: Random, content: bytes) -> bytes:
    """Return a CSV table with other cells, rows, columns or marks between cells."""
    # A mark of the byte order and characters that are no UTF-8 are for the damages of bytes.
    rows = list(csv.reader(io.StringIO(content.decode(errors="replace"), newline="")))
    if not rows or not rows[0]:
        return content
    for _ in range(random.choice((1, 1, 2, 3))):
        rows = _other_rows(random, rows)
    marks = random.choice((",", ",", ",", ",", ",", ";", "\t", ", ", "|"))
    out = io.StringIO(newline="")
    if len(marks) > 1:
        out.write("\n".join(marks.join(row) for row in rows))
    else:
        quoting = random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
        csv.writer(out, delimiter=marks, quoting=quoting, lineterminator=random.choice("\n\n\r")).writerows(rows)
    return out.getvalue().encode(errors="surrogatepass")


def _cell(random: Random) -> str:
    number = random.choice(_NUMBERS)
    texts = (*_TEXTS[:-2], "=1+1", "1,5", '"', "a" * 200_000, "True", "2020-01-01", "1_000", "0x10", "\u0661")
    return random.choice((str(number), random.choice(texts), random.choice(texts)))


def _other_rows(random: Random, rows: list[list[str]]) -> list[list[str]]:
    row = random.randrange(len(rows))
    column = random.randrange(len(rows[0]))
    kind = random.randrange(10)
    if kind < 4:
        changed = [*rows[row]]
        changed[min(column, len(changed) - 1) : column + 1] = [_cell(random)]
        return [*rows[:row], changed, *rows[row + 1 :]]
    if kind == 4:
        return [*rows[:row], *rows[row + 1 :]] or rows
    if kind == 5:
        return [*rows, *[rows[row]] * random.choice((1, 1, 50))]
    if kind == 6:
        return [cells[:column] + cells[column + 1 :] for cells in rows] if len(rows[0]) > 1 else rows
    if kind == 7:
        return [[*cells, cells[column] if column < len(cells) else ""] for cells in rows]
    if kind == 8:
        value = _cell(random)
        return [rows[0], *([*cells[:column], value, *cells[column + 1 :]] for cells in rows[1:])]
    return [rows[0], *random.sample(rows[1:], len(rows) - 1)]


_TOML_VALUES = (
    "nan",
    "-inf",
    "1e999",
    "9" * 30,
    "9" * 5000,
    "[]",
    "{}",
    "[[1]]",
    "[1, 'a']",
    "true",
    '""',
    '"ladder"',
    '"\\u0000"',
    "2020-01-01",
    "12:00:00",
    "0x10",
    "-1",
    "0",
    "1.5",
    "[" * 150 + "]" * 150,
    "[" * 3000 + "]" * 3000,
    "{ a = 1 }",
    "[0.1, 0.2, nan]",
    "[1, 2, 3, 4, 5]",
)


def mutate_toml(random: Random, content: bytes) -> bytes:
    """Return a TOML file with other values, keys or lines."""
    lines = content.decode(errors="replace").splitlines()
    for _ in range(random.choice((1, 1, 2, 3))):
        place = random.randrange(len(lines)) if lines else 0
        line = lines[place] if lines else ""
        key, equals, _value = line.partition("=")
        other = random.choice(_TOML_VALUES)
        lines[place : place + 1] = random.choice(
            (
                [f"{key}{equals or '='} {other}"],
                [f"{key}{equals or '='} {other}"],
                [f"{random.choice(('x', 'repeats', 'hue', '[perturbations]', 'a.b', '[[runs]]'))} = {other}"],
                [line, line],
                [],
                [random.choice(("[perturbations]", "[[runs]]", "[a.b]", "[a", "# \u00e9"))],
            )
        )
    return "\n".join(lines).encode()
