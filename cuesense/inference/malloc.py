"""How the C library keeps memory between batches."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_GIBIBYTE = 1 << 30


def keep_freed_memory() -> None:
    """Make the C library keep what tensors free, for the whole process; it has no effect outside Linux with glibc.

    By default glibc returns every large tensor to the kernel and asks for it again, zeroed page by page, at the next
    layer: up to half of a forward pass on the CPU. Now up to 1 GiB stays with the process (``man 3 mallopt``).
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _GIBIBYTE)
        mallopt(_MMAP_THRESHOLD, _GIBIBYTE)
