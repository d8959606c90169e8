"""What a public function tells its caller: progress where a person looks, and what was assumed as one warning."""

from __future__ import annotations

import io
import linecache
import sys
import warnings
from types import SimpleNamespace

import pytest

from cuesense.errors import CuesenseWarning, SettingsError
from cuesense.types import no_progress
from cuesense.workflows.caller import warn_of, watched


class Terminal(io.StringIO):
    """A stderr that a person looks at."""

    def isatty(self) -> bool:
        return True


class Handle:
    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []

    def update(self, data: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.shown.append(data)


def notebook(monkeypatch: pytest.MonkeyPatch, shell: object) -> Handle:
    """Pretend that IPython is imported, and return what it shows."""
    handle = Handle()

    def display(data: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        assert raw
        assert display_id
        handle.shown.append(data)
        return handle

    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    return handle


def test_a_function_is_called_and_false_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with watched(print, "analyzing") as advance:
        assert advance is print
    with watched(False, "analyzing") as advance:
        assert advance is no_progress
    assert sys.stderr.getvalue() == ""


@pytest.mark.parametrize("progress", ["x", 1, []])
def test_other_kinds_of_progress_are_refused(progress: object) -> None:
    with pytest.raises(SettingsError, match="Expected progress to be a function, False or None, but got"):
        watched(progress, "analyzing")  # type: ignore[arg-type]


def test_none_shows_a_bar_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with watched(None, "training", "steps") as advance:
        advance(1, 2)
        advance(2, 2)
    assert "training" in sys.stderr.getvalue()
    assert "2/2" in sys.stderr.getvalue()


def test_none_is_silent_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with watched(None, "training", "steps") as advance:
        advance(1, 2)
    assert sys.stderr.getvalue() == ""


def test_none_shows_a_bar_below_the_cell_of_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = notebook(monkeypatch, SimpleNamespace(kernel=object()))
    with watched(None, "analyzing") as advance:
        advance(1, 1200)
        advance(1200, 1200)
    first, *_, last = handle.shown
    assert first["text/plain"] == "analyzing ..."
    assert last["text/plain"] == "analyzing: 1,200 of 1,200 images"
    assert last["text/html"] == f'<progress value="1200" max="1200"></progress> {last["text/plain"]}'


def test_a_shell_without_a_kernel_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = notebook(monkeypatch, SimpleNamespace())
    with watched(None, "analyzing") as advance:
        advance(1, 2)
    assert handle.shown == []


def called_from_the_package(sentences: list[str]) -> None:
    """Call the warning through a frame of the package, as a public function does."""
    code = "def run(sentences):\n    warn_of(sentences)\nrun(sentences)"
    exec(code, {"__name__": "cuesense.workflows.some", "warn_of": warn_of, "sentences": sentences})


def test_assumptions_are_one_warning_that_points_at_the_caller() -> None:
    with pytest.warns(CuesenseWarning) as caught:
        called_from_the_package(["Assumed --mean of ImageNet.", "Assumed logits."])
    (found,) = caught
    assert str(found.message) == "Assumed mean of ImageNet. Assumed logits."
    assert found.filename == __file__
    # The line that calls the package, not one of those that called it.
    assert "exec(code" in linecache.getline(__file__, found.lineno)


def test_without_assumptions_there_is_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of([])
