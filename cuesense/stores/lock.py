"""One run at a time in an output folder: a lock that ends with the process that holds it."""

from __future__ import annotations

import datetime
import errno
import logging
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cuesense.atomic_files import TEMPORARY, unwritable
from cuesense.errors import OutputError, expected

LOCK = ".cuesense.lock"
ANOTHER_FOLDER = "Wait until it ends, stop it, or give another --output"

# What file systems without locks answer. NFS answers so where its lock service does not run.
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
# Windows answers with the last two.
_HELD_BY_ANOTHER = {errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}
# Temporary files that are younger may be of a command that writes one file into the folder at this moment, which takes
# no lock and a second at most. Chosen by hand; not tuned.
_ABANDONED_SECONDS = 60
_RETRY_SECONDS = 0.05
_MOST_TRIES = 20

_LOG = logging.getLogger(__name__)
_HELD: set[int] = set()

if sys.platform == "win32":
    import msvcrt

    # Beyond the text that says who holds the lock: Windows lets nobody read bytes that are locked.
    _LOCKED_BYTE = 2**20

    def _take(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        # Held by the open file, unlike locks of fcntl.lockf, so that two threads of a process exclude each other as
        # well. Linux passes it on to NFS servers as a lock of the whole file.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(folder: Path | None, *, do: str = ANOTHER_FOLDER, wait: float = 0.0) -> Iterator[bool]:
    """Hold a folder for one run, and refuse it where another run holds it, in this process or in another.

    The system ends the lock with the process, however it ends: what a killed run leaves behind blocks nobody. On file
    systems without locks (some NFS and cloud mounts) a warning is logged and nothing is locked; mounts that keep locks
    on each machine to itself (NFS with ``nolock`` or ``local_lock=all``) cannot be told from others, so that runs on
    two machines are not kept apart there.

    Args:
        folder: The folder, made where it is missing; None locks nothing.
        do: What a user who is refused can do.
        wait: Seconds to wait for another run's end.

    Yields:
        Whether the folder is new. A folder that was made here and stays empty is removed.

    Raises:
        OutputError: Another run holds the folder, or it cannot be made or written.
    """
    if folder is None:
        yield False
        return
    if folder.exists() and not folder.is_dir():
        raise OutputError(expected("--output", "a folder", f"the file '{folder}'", "Give another name"))
    made: list[Path] = []
    descriptor = None
    try:
        try:
            descriptor = _acquire(folder, made, do, time.monotonic() + wait)
            _remove_abandoned(folder)
        except OSError as error:
            raise unwritable(folder, error) from None
        yield folder in made
    finally:
        if descriptor is not None:
            _release(folder, descriptor)
        for path in made:
            # Only where nothing was written.
            with suppress(OSError):
                path.rmdir()


def _acquire(folder: Path, made: list[Path], do: str, deadline: float) -> int:
    """Return the descriptor of the folder's lock file, locked, and note the folders that were made."""
    vanished = 0
    while True:
        made += [path for path in (folder, *folder.parents) if path not in made and not path.exists()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            # A run that ends at this moment removes the folder that it made and left empty.
            vanished += 1
            if vanished > _MOST_TRIES:
                raise
            continue
        if _try(descriptor, folder):
            return descriptor
        if time.monotonic() >= deadline and _is_at(folder / LOCK, descriptor):
            os.close(descriptor)
            raise _held_by_another(folder, do)
        os.close(descriptor)
        time.sleep(_RETRY_SECONDS)


def _try(descriptor: int, folder: Path) -> bool:
    """Return whether the folder is locked now, by this file."""
    try:
        # The run before may have removed the file after it was opened here: then another one is locked.
        held = _locks(descriptor, folder) and _is_at(folder / LOCK, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    if held:
        _sign(descriptor)
    return held


def _locks(descriptor: int, folder: Path) -> bool:
    """Return whether the lock is ours now; it counts as ours where the file system knows no locks."""
    try:
        _take(descriptor)
    except OSError as error:
        if error.errno in _HELD_BY_ANOTHER:
            return False
        if error.errno not in _NO_LOCKS:
            raise
        _LOG.warning(
            "The file system of %s knows no locks (%s): make sure that no other run writes to this folder.",
            folder,
            os.strerror(error.errno),
        )
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def _sign(descriptor: int) -> None:
    """Write who holds the lock, for the message to others, and note that a child must not keep it."""
    _HELD.add(descriptor)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    # On a full disk the lock holds all the same.
    with suppress(OSError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.truncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {platform.node()}, since {now}\n".encode())


def _held_by_another(folder: Path, do: str) -> OutputError:
    # A holder that has just taken the lock may not have written its name yet.
    time.sleep(_RETRY_SECONDS)
    holder = ""
    with suppress(OSError):
        holder = (folder / LOCK).read_text(errors="replace").strip()
    if holder.startswith(f"process {os.getpid()} on {platform.node()},"):
        holder = f"this {holder}"
    got = f"another run that is writing to it ({holder or 'its process is not known'})"
    return OutputError(expected(f"the output folder '{folder}'", "used by one run at a time", got, do))


def _release(folder: Path, descriptor: int) -> None:
    # A child of a fork has closed its copy: the lock is its parent's.
    if descriptor not in _HELD:
        return
    _HELD.discard(descriptor)
    # While it is locked: nobody else can have taken it. Windows removes no open files, and leaves it there.
    with suppress(OSError):
        if _is_at(folder / LOCK, descriptor):
            (folder / LOCK).unlink()
    os.close(descriptor)


def _remove_abandoned(folder: Path) -> None:
    """Remove temporary files that killed runs left behind."""
    for path in folder.glob(TEMPORARY):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                path.unlink()


def _forget_in_child() -> None:
    """Close the copies that a fork gave to a child, which would hold the locks after its parent's end."""
    for descriptor in _HELD:
        with suppress(OSError):
            os.close(descriptor)
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
