"""Why a file could not be read, in one line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cuesense.sweeps.read_errors import read_error_reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FileNotFoundError(2, "No such file or directory", "t.csv"), "No such file or directory"),
        (OSError("cannot seek\nin this stream"), "cannot seek"),
        (ValueError("no columns\n  at line 3\n  of t.csv"), "no columns"),
        (ValueError(""), "ValueError"),
        (KeyError(), "KeyError"),
    ],
)
def test_the_reason_is_the_system_s_or_the_first_line(error: Exception, reason: str) -> None:
    assert read_error_reason(error) == reason


def test_a_parser_s_lines_of_context_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n1,2,3\n")
    with pytest.raises(ValueError, match="tokenizing") as caught:
        pd.read_csv(tmp_path / "t.csv")
    assert read_error_reason(caught.value) == str(caught.value).split("\n")[0]
    assert "\n" in str(caught.value)
