"""What Python does while something is loaded: files opened for writing, programs started, code run, connections."""

from __future__ import annotations

import encodings.cp437  # noqa: F401 - zipfile imports it for the names in old archives: no deed of a file
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_DEEDS = ("os.", "subprocess.", "shutil.", "socket.", "ctypes.", "pickle.", "tempfile.", "sqlite3.", "urllib.", "http.")
_HARMLESS = ("os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.putenv", "os.unsetenv", "os.chdir")
_CODE = ("exec", "marshal.loads", "code.__new__", "import", "builtins.breakpoint")


class _Watch:
    """The one hook of a process: hooks cannot be taken away again."""

    def __init__(self) -> None:
        self.seen: list[str] | None = None

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.seen is None:
            return
        if event == "open":
            path, mode, flags = arguments
            if (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & _WRITING):
                self.seen.append(f"open {path!r} for writing")
        elif event in _CODE or (event.startswith(_DEEDS) and event not in _HARMLESS):
            self.seen.append(f"{event} {arguments!r}"[:200])


_WATCH = _Watch()


@contextmanager
def watched() -> Iterator[list[str]]:
    """Yield a list that fills with what is done, as Python's audit events tell it."""
    if not _installed:
        sys.addaudithook(_WATCH)
        _installed.append(True)
    _WATCH.seen = []
    try:
        yield _WATCH.seen
    finally:
        _WATCH.seen = None


_installed: list[bool] = []
