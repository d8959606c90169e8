"""Runs the pickles that ``torch.save`` writes, without importing or calling anything that they name.

A pickle is a program for a stack machine. This one knows the instructions that a checkpoint needs, and every name in
the file is looked up by its caller's function, so that a file can do no more than that function offers. Python's and
torch's own machines are not used: they call what they find, and allocate what a file announces.
"""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

# A checkpoint of a thousand layers with its optimizer takes half a second, so that only a file made to be slow needs
# more. Chosen by hand: half of the 10 s that a refusal may take.
_MOST_SECONDS = 5.0
_BETWEEN_LOOKS = 4096
# A name or a text of a training script is far shorter; a longer one is read in full before it can be refused.
_LONGEST_TEXT = 64 << 20
_LONGEST_NAME = 1024
_LONGEST_NUMBER = 16
# What is made of a container copies it: four bytes of a file can name a container of millions again. Chosen by hand,
# far above the sets and dictionaries of training scripts.
_MOST_PASSED = 4_000_000


class RefusedPickleError(Exception):
    """A pickle that is damaged, or asks for what is not offered; its text says which."""


class UnreadPickleError(RefusedPickleError):
    """An undamaged pickle of a kind that is not read; its text says what it holds.

    Attributes:
        wanted: What it should hold.
        do: What the user can do, without a full stop.
    """

    def __init__(self, wanted: str, got: str, do: str) -> None:
        """Say what the pickle should hold, what it holds, and the way out."""
        super().__init__(got)
        self.wanted, self.do = wanted, do


@dataclass(frozen=True)
class Maker:
    """What a name in a pickle stands for where the file calls it.

    Attributes:
        name: The dotted name in the file.
        make: Called with the arguments in the file; it checks them itself.
    """

    name: str
    make: Callable[..., Any]


class Built:
    """A value whose content the file gives after the value itself, such as ``argparse.Namespace``."""

    __slots__ = ()

    def build(self, state: Any) -> None:
        """Take what the file gives; the base class forgets it."""

    def call(self, _: tuple[Any, ...]) -> Built:
        """Return what stands for the result of calling the value; nothing is called."""
        return Built()

    def set_items(self, entries: dict[Any, Any]) -> None:
        """Take keys with values; the base class forgets them."""

    def extend(self, items: list[Any]) -> None:
        """Take further values; the base class forgets them."""

    @property
    def content(self) -> Any:
        """The value as plain data, or None."""
        return None


@dataclass
class PickleMachine:
    """One run over one pickle.

    Attributes:
        file: Where the pickle begins; afterwards, where it ended.
        named: Returns what a dotted name stands for: a Maker or a plain value.
        stored: Returns what a persistent id stands for.
        memo: What the file has put aside, by number.
    """

    file: BinaryIO
    named: Callable[[str], Any]
    stored: Callable[[Any], Any]
    memo: dict[int, Any] = field(default_factory=dict)
    _stack: list[Any] = field(default_factory=list)
    _marked: list[list[Any]] = field(default_factory=list)
    _passed: int = 0

    def run(self) -> Any:
        """Return the pickled value.

        Raises:
            RefusedPickleError: The pickle asks for what is not offered, or is damaged.
        """
        started = time.thread_time()
        steps = 0
        while True:
            code = self._read(1)
            if code == b".":
                return self._pop()
            step = _INSTRUCTIONS.get(code)
            if step is None:
                raise RefusedPickleError(f"the instruction {code!r}, which torch.save does not write")
            step(self)
            steps += 1
            if steps % _BETWEEN_LOOKS == 0 and time.thread_time() - started > _MOST_SECONDS:
                raise RefusedPickleError(f"a pickle that takes more than {_MOST_SECONDS:g} seconds to read")

    def _read(self, count: int) -> bytes:
        data = self.file.read(count)
        if len(data) != count:
            raise RefusedPickleError("a pickle that ends too early")
        return data

    def _number(self, layout: str) -> Any:
        return struct.unpack(layout, self._read(struct.calcsize(layout)))[0]

    def _pop(self) -> Any:
        if not self._stack:
            raise RefusedPickleError("a pickle that takes more than it has put down")
        return self._stack.pop()

    def _top(self, kind: type, doing: str) -> Any:
        top = self._stack[-1] if self._stack else None
        if type(top) is not kind and not isinstance(top, Built):
            raise RefusedPickleError(f"a pickle that would {doing} an object of type {type(top).__name__}")
        return top

    def protocol(self) -> None:
        """Pass over the number of the protocol: what follows says itself whether it is known."""
        self._read(1)

    def push(self, value: Any) -> None:
        """Put a value down."""
        self._stack.append(value)

    def push_tuple(self, count: int) -> None:
        """Put the last values down as one tuple."""
        self.push(tuple([self._pop() for _ in range(count)][::-1]))

    def mark(self) -> None:
        """Remember where the values of a container begin."""
        self._marked.append(self._stack)
        self._stack = []

    def since_mark(self) -> list[Any]:
        """Return the values since the last mark."""
        if not self._marked:
            raise RefusedPickleError("a pickle that takes more than it has put down")
        values, self._stack = self._stack, self._marked.pop()
        return values

    def drop_since_mark(self) -> None:
        """Forget the values since the last mark."""
        self.since_mark()

    def text(self, length: int) -> str:
        """Read a text of so many bytes."""
        return str(self.data(length), "utf-8", "surrogatepass")

    def data(self, length: int) -> bytes:
        """Read so many bytes."""
        if length > _LONGEST_TEXT:
            raise RefusedPickleError(f"a text of {length} bytes")
        return self._read(length)

    def long(self) -> int:
        """Read a whole number whose length stands before it."""
        length = self._read(1)[0]
        if length > _LONGEST_NUMBER:
            raise RefusedPickleError(f"a whole number of {length} bytes")
        return int.from_bytes(self._read(length), "little", signed=True)

    def name(self) -> None:
        """Put down what a name stands for."""
        module, name = (self.file.readline(_LONGEST_NAME) for _ in range(2))
        if not (module.endswith(b"\n") and name.endswith(b"\n")):
            raise RefusedPickleError("a name that does not end")
        self.push(self.named(f"{module[:-1].decode()}.{name[:-1].decode()}"))

    def name_of_texts(self) -> None:
        """Put down what a name stands for, whose two parts were put down before."""
        name, module = self._pop(), self._pop()
        if not (type(name) is str and type(module) is str and len(name) + len(module) < _LONGEST_NAME):
            raise RefusedPickleError("a name that is none")
        self.push(self.named(f"{module}.{name}"))

    def call(self) -> None:
        """Put down what a name makes of arguments."""
        arguments, maker = self._pop(), self._pop()
        if type(arguments) is not tuple or not isinstance(maker, Maker | Built):
            raise RefusedPickleError(f"a call of an object of type {type(maker).__name__}")
        self._passed += sum(len(value) for value in arguments if type(value) in (list, tuple, dict, set))
        if self._passed > _MOST_PASSED:
            raise RefusedPickleError(f"a pickle that copies more than {_MOST_PASSED} values")
        self.push(maker.make(*arguments) if isinstance(maker, Maker) else maker.call(arguments))

    def call_with_names(self) -> None:
        """Put down what a name makes of arguments, those with names left out."""
        self._pop()
        self.call()

    def build(self) -> None:
        """Give a value its content."""
        state = self._pop()
        top = self._stack[-1] if self._stack else None
        if isinstance(top, Built):
            top.build(state)
        elif type(top) is not dict:  # what hangs on an OrderedDict, such as the versions of a state dict's modules
            raise RefusedPickleError(f"a pickle that would change an object of type {type(top).__name__}")

    def set_items(self, items: list[Any]) -> None:
        """Put keys and values into the dictionary on top."""
        target: Any = self._top(dict, "put a key into")
        if len(items) % 2:
            raise RefusedPickleError("a key without a value")
        entries = dict(zip(map(hashable, items[::2]), items[1::2], strict=True))
        target.set_items(entries) if isinstance(target, Built) else target.update(entries)

    def extend(self, items: list[Any]) -> None:
        """Put values into the list on top."""
        self._top(list, "extend").extend(items)

    def add(self, items: list[Any]) -> None:
        """Put values into the set on top."""
        target: Any = self._top(set, "add to")
        target.extend(items) if isinstance(target, Built) else target.update(map(hashable, items))

    def top(self) -> Any:
        """Return the value on top, which stays."""
        if not self._stack:
            raise RefusedPickleError("a pickle that takes more than it has put down")
        return self._stack[-1]

    def keep(self, number: int) -> None:
        """Put the value on top aside."""
        self.memo[number] = self.top()

    def get(self, number: int) -> None:
        """Put a value down that was put aside."""
        if number not in self.memo:
            raise RefusedPickleError("a pickle that refers to what it has not put aside")
        self.push(self.memo[number])


def hashable(key: Any) -> Any:
    """Return a key that any dictionary may have, and in the place of an unusual one a value that equals no other.

    Python overflows its stack over deeply nested tuples, and a dictionary becomes quadratic where a file chooses keys
    of one hash: it can for large numbers and tuples of numbers, not for texts, whose hashes differ between processes.
    """
    if type(key) in (str, bytes, bool, float, type(None)) or isinstance(key, Built):
        return key
    if type(key) is int and abs(key) < sys.hash_info.modulus:
        return key
    if type(key) is tuple and key and type(key[0]) is str and all(type(part) in (str, int, bool) for part in key):
        return key
    return Built()


_INSTRUCTIONS: dict[bytes, Callable[[PickleMachine], None]] = {
    b"\x80": PickleMachine.protocol,
    b"(": PickleMachine.mark,
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b")": lambda m: m.push(()),
    b"]": lambda m: m.push([]),
    b"}": lambda m: m.push({}),
    b"t": lambda m: m.push(tuple(m.since_mark())),
    b"\x85": lambda m: m.push_tuple(1),
    b"\x86": lambda m: m.push_tuple(2),
    b"\x87": lambda m: m.push_tuple(3),
    b"J": lambda m: m.push(m._number("<i")),
    b"K": lambda m: m.push(m._number("<B")),
    b"M": lambda m: m.push(m._number("<H")),
    b"G": lambda m: m.push(m._number(">d")),
    b"\x8a": lambda m: m.push(m.long()),
    b"X": lambda m: m.push(m.text(m._number("<I"))),
    b"\x8c": lambda m: m.push(m.text(m._number("<B"))),
    b"\x8d": lambda m: m.push(m.text(m._number("<Q"))),
    b"C": lambda m: m.push(m.data(m._number("<B"))),
    b"B": lambda m: m.push(m.data(m._number("<I"))),
    b"\x8e": lambda m: m.push(m.data(m._number("<Q"))),
    b"\x96": lambda m: m.push(m.data(m._number("<Q"))),
    b"U": lambda m: m.push(m._read(m._read(1)[0]).decode("latin-1")),  # a text of Python 2
    b"c": PickleMachine.name,
    b"\x93": PickleMachine.name_of_texts,
    b"\x95": lambda m: m._number("<Q"),  # how long the next part is, which only helps to read ahead
    b"0": PickleMachine._pop,
    b"1": PickleMachine.drop_since_mark,
    b"2": lambda m: m.push(m.top()),
    b"\x8f": lambda m: m.push(set()),
    b"\x90": lambda m: m.add(m.since_mark()),
    b"\x91": lambda m: m.push(set(map(hashable, m.since_mark()))),
    b"\x92": PickleMachine.call_with_names,
    b"\x94": lambda m: m.keep(len(m.memo)),
    b"R": PickleMachine.call,
    b"\x81": PickleMachine.call,
    b"b": PickleMachine.build,
    b"a": lambda m: m.extend([m._pop()]),
    b"e": lambda m: m.extend(m.since_mark()),
    b"s": lambda m: m.set_items([m._pop() for _ in range(2)][::-1]),
    b"u": lambda m: m.set_items(m.since_mark()),
    b"Q": lambda m: m.push(m.stored(m._pop())),
    b"q": lambda m: m.keep(m._number("<B")),
    b"r": lambda m: m.keep(m._number("<I")),
    b"h": lambda m: m.get(m._number("<B")),
    b"j": lambda m: m.get(m._number("<I")),
}
