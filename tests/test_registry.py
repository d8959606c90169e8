"""The table of names: ours first, then other packages', which are looked for once."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint

import pytest

from cuesense import registry
from cuesense.errors import SettingsError

CALLED = "tests.test_registry:CALLED"


def test_plug_ins_come_after_our_own_names_and_cannot_take_one(plug: Callable[[str, EntryPoint], None]) -> None:
    own = registry.names("exporters")
    plug("exporters", EntryPoint("aaa", CALLED, "cuesense.exporters"))
    assert registry.names("exporters") == (*own, "aaa")
    assert registry.get("exporters", "aaa") == CALLED
    assert not registry.is_own("exporters", "aaa")
    assert "aaa" not in registry.names("models")
    plug("exporters", EntryPoint("json", CALLED, "cuesense.exporters"))
    assert registry.names("exporters") == own
    assert registry.get("exporters", "json") is not CALLED
    with pytest.raises(SettingsError, match="Did you mean 'yaml'"):
        registry.get("exporters", "yml")


@pytest.mark.usefixtures("plug")
def test_installed_packages_are_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy asks for the order of augmentations some forty times in a recommendation, and a search takes 40 ms."""
    searched: list[str] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: searched.append(group) or [])
    registry.plugins.cache_clear()
    for _ in range(3):
        registry.names("perturbations")
    assert searched == ["cuesense.perturbations"]


def test_a_name_like_no_other_is_answered_with_the_command_that_lists_them() -> None:
    with pytest.raises(SettingsError) as error:
        registry.get("perturbations", "qqqq")
    assert error.value.for_command_line == (
        "Unknown perturbation 'qqqq'. `cuesense list perturbations` prints those that exist."
    )


@pytest.mark.parametrize("name", [None, 3, ["json"]])
def test_a_name_that_is_no_text_is_one_sentence(name: object) -> None:
    with pytest.raises(SettingsError, match="Expected the name of the exporter to be a text, but got"):
        registry.get("exporters", name)  # type: ignore[arg-type]
