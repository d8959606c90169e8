"""Memory that is freed stays with the process."""

import os
import platform
import subprocess
import sys

import pytest

_COUNT_FAULTS = """
import resource
import numpy as np
from cuesense.inference.malloc import keep_freed_memory
if {keep}:
    keep_freed_memory()
np.ones(1 << 25)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(1 << 25)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, keep: bool) -> int:
    command = [sys.executable, "-c", _COUNT_FAULTS.format(keep=keep)]
    untuned = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    return int(subprocess.run(command, env=untuned, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone")
def test_a_second_large_array_takes_the_memory_of_the_first() -> None:
    assert faults(keep=True) < 100
    assert faults(keep=False) > 100
