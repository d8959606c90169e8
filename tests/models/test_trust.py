"""Who may let a program run: the user who names it, or one who allows what a file names."""

from __future__ import annotations

import logging

import pytest

from cuesense.errors import ModelError
from cuesense.models import trust
from cuesense.models.trust import OWN_WORD, Trust


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what earlier tests named."""
    monkeypatch.delenv(trust.VARIABLE, raising=False)
    monkeypatch.setattr(trust, "_said", set())
    monkeypatch.setattr(trust, "_typed", set())


def test_the_users_own_programs_run_and_are_called_so_once_for_each_kind(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for name in ("a.pt", "b.pt", "c.pt"):
            OWN_WORD.permit(name, "TorchScript", None)
        OWN_WORD.permit("d.pt2", "a torch.export archive", None)
    assert [record.message for record in caplog.records] == [
        "'a.pt' (TorchScript) is a program: it runs with your rights (SECURITY.md).",
        "'d.pt2' (a torch.export archive) is a program: it runs with your rights (SECURITY.md).",
    ]


def test_programs_that_a_file_names_need_allow_code() -> None:
    with pytest.raises(ModelError) as caught:
        OWN_WORD.permit("python:m:f", "a Python function", "runs.csv")
    assert str(caught.value) == (
        "Expected the model named in 'runs.csv' to be weights alone, but got 'python:m:f' (a Python function), a "
        "program that would run with your rights. Give allow_code if you trust who wrote both, or name the model "
        "yourself."
    )
    assert "--allow-code" in caught.value.for_command_line
    Trust(allow_code=True).permit("python:m:f", "a Python function", "runs.csv")


def test_what_the_user_named_stays_the_users_word_in_the_same_process() -> None:
    OWN_WORD.permit("m.pt2", "a torch.export archive", None)
    OWN_WORD.permit("m.pt2", "a torch.export archive", "profile.json")
    with pytest.raises(ModelError):
        OWN_WORD.permit("other.pt2", "a torch.export archive", "profile.json")


@pytest.mark.parametrize("named_in", [None, "runs.csv"])
def test_only_weights_goes_before_everything(monkeypatch: pytest.MonkeyPatch, named_in: str | None) -> None:
    OWN_WORD.permit("m.pt2", "a torch.export archive", None)
    with pytest.raises(ModelError, match="because of weights_only, but got a torch"):
        Trust(weights_only=True, allow_code=True).permit("m.pt2", "a torch.export archive", named_in)
    monkeypatch.setenv(trust.VARIABLE, "1")
    with pytest.raises(ModelError, match=f"because of {trust.VARIABLE}"):
        Trust(allow_code=True).permit("m.pt2", "a torch.export archive", named_in)


def test_a_file_names_the_model_and_perhaps_its_architecture() -> None:
    assert OWN_WORD.named_in("runs.csv", arch=True) == Trust(model_named_in="runs.csv", arch_named_in="runs.csv")
    assert OWN_WORD.named_in("runs.csv", arch=False) == Trust(model_named_in="runs.csv")
    assert OWN_WORD.named_in(None, arch=True) == OWN_WORD
