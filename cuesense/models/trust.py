"""What may run when a model is loaded: a program that the user names, one that a received file names, or none at all.

TorchScript, ``.pt2`` files and Python functions are programs: they run with the user's rights, and no check of their
content makes them safe. So it is decided by who named them.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace

from cuesense.errors import ModelError, SettingsError, expected

VARIABLE = "CUESENSE_WEIGHTS_ONLY"
COMPACT = "python:cuesense.models.compact:build"
"""The one function that is no stranger's: this package's own compact network."""

_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trust:
    """What a user allows when models are loaded.

    Attributes:
        weights_only: Whether nothing but tensors is read. The environment variable CUESENSE_WEIGHTS_ONLY says the same
            for a whole process, and no argument takes it back.
        allow_code: Whether programs run that a received file names, such as a list of runs or a profile.
        model_named_in: The file that names the model; None where the user does.
        arch_named_in: The file that names its architecture; None where the user does.
    """

    weights_only: bool = False
    allow_code: bool = False
    model_named_in: str | None = None
    arch_named_in: str | None = None

    def named_in(self, file: str | None, *, arch: bool) -> Trust:
        """Return the same for a model, and for its architecture if it is so, that a file names; None: the user does."""
        return replace(self, model_named_in=file, arch_named_in=file if arch else None)

    @property
    def strict(self) -> bool:
        """Whether no program may run, by argument or by environment.

        Raises:
            SettingsError: The environment variable is neither yes nor no.
        """
        return self.weights_only or _environment()

    def permit(self, name: str, kind: str, named_in: str | None, *, instead: str = "") -> None:
        """Let a program run, and say once that it is one, or raise.

        Args:
            name: The program as it was named.
            kind: What it is, for instance ``"TorchScript"``.
            named_in: The file that names it; None where the user does.
            instead: What can be done without a program that is no model, as an imperative; empty for a model.

        Raises:
            ModelError: Only weights are read, or a received file names it and its code is not allowed.
        """
        if self.strict:
            how = "--weights-only" if self.weights_only else VARIABLE
            got = f"{kind}, which is a program"
            if instead:
                do = f"{instead}, or leave {how} out if you trust the file"
                raise ModelError(expected(f"'{name}'", f"read without running it, because of {how}", got, do))
            do = "Pass weights (safetensors, or model.state_dict() saved with torch.save) and --arch"
            raise ModelError(expected(f"'{name}'", f"weights alone, because of {how}", got, do))
        if named_in is None:
            _typed.add(name)
        elif not self.allow_code and name not in _typed:
            do = "Give --allow-code if you trust who wrote both, or name the model yourself"
            got = f"'{name}' ({kind}), a program that would run with your rights"
            raise ModelError(expected(f"the model named in '{named_in}'", "weights alone", got, do))
        _say(name, kind)


OWN_WORD = Trust()
"""The user names everything: programs run."""


def _environment() -> bool:
    value = os.environ.get(VARIABLE, "").strip().lower()
    if value not in _YES + _NO:
        to_be = f"one of {', '.join(_YES)} or of {', '.join(filter(None, _NO))}"
        raise SettingsError(expected(f"the environment variable {VARIABLE}", to_be, f"'{value}'", "Change it"))
    return value in _YES


def _say(name: str, kind: str) -> None:
    """Say that a program runs, once for each kind: a sweep of a hundred checkpoints says it once."""
    if kind not in _said:
        _said.add(kind)
        _LOG.warning("'%s' (%s) is a program: it runs with your rights (SECURITY.md).", name, kind)


_said: set[str] = set()
# What the user has named in this process stays the user's word where a file of the same process names it again, such
# as a profile that was just written.
_typed: set[str] = set()
