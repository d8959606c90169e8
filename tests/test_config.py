"""Presets and TOML files become settings, or one clear sentence."""

from pathlib import Path

import pytest

from cuesense import registry
from cuesense.config import load_config, presets
from cuesense.errors import SettingsError
from cuesense.perturbations.ablations import ALL_REMOVED, PRIMARY_ABLATION, REPLICATE_ABLATION, SHAM, SINGLE_CUE
from cuesense.perturbations.kornia_table import row_of
from cuesense.types import Role


def test_presets_have_the_promised_sizes() -> None:
    found = presets()
    assert set(found) == {"quick", "standard", "thorough"}
    assert len(found["quick"].conditions()) - 1 <= 12
    assert len(found["standard"].conditions()) - 1 <= 61
    for config in found.values():
        assert f"({len(config.conditions()) - 1} conditions)" in config.description


def test_quick_can_label_and_shows_crop_and_jitter() -> None:
    ladders = {entry.name: entry.ladder for entry in load_config("quick").perturbations}
    assert all(value in ladders[name] for name, value in PRIMARY_ABLATION.values())
    assert {"random_resized_crop", "color_jitter"} <= ladders.keys()


def test_standard_has_two_mechanisms_a_cue_the_pairs_the_control_and_five_augmentations() -> None:
    config = load_config("standard")
    ladders = {entry.name: entry.ladder for entry in config.perturbations}
    for name, value in (
        *PRIMARY_ABLATION.values(),
        *REPLICATE_ABLATION.values(),
        *SINGLE_CUE.values(),
        *SHAM.values(),
        ALL_REMOVED,
    ):
        assert value in ladders[name]
    assert sum(entry.role is Role.AUGMENTATION for entry in config.perturbations) == 5


def test_thorough_is_everything_but_kornia_s_augmentations() -> None:
    """These are slower, and named by those who train with them."""
    config = load_config("thorough")
    every = [registry.get("perturbations", name) for name in registry.names("perturbations")]
    assert {entry.name for entry in config.perturbations} == {entry.name for entry in every if row_of(entry) is None}
    assert all(entry.ladder == registry.get("perturbations", entry.name).ladder for entry in config.perturbations)


def test_conditions_start_clean_and_have_unique_keys() -> None:
    conditions = load_config("thorough").conditions()
    assert conditions[0].perturbation is None
    assert len({(entry.name, entry.severity, entry.repeat) for entry in conditions}) == len(conditions)


def test_a_file_overrides_ladders_and_repeats(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('repeats = 2\n[perturbations]\ngrayscale = [1]\nrandom_resized_crop = [0.9, 0.5]\nhue = "ladder"\n')
    config = load_config(path)
    assert config.repeats == 2
    assert [entry.ladder for entry in config.perturbations[:2]] == [(1.0,), (0.9, 0.5)]
    assert len(config.conditions()) == 1 + 2 * (1 + 2 + 4)
    assert config.to_dict()["perturbations"]["grayscale"] == [1.0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[perturbations]\ngrayscal = [1]", "Did you mean 'grayscale'\\?$"),
        ("[perturbation]\ngrayscale = [1]", "Did you mean 'perturbations'"),
        ("[perturbations]", "table of values"),
        ("repeats = 0\n[perturbations]\nhue = [0.1]", "whole number from 1"),
        ("perturbations = {hue = [0.1]}\n[repeats]\nhue = 0", "repeats of hue"),
        ("perturbations = {hue = [0.1]}\n[repeats]\nblur = 2", "perturbation 'blur' in the repeats"),
        ("repeats = 101\n[perturbations]\nhue = [0.1]", "from 1 to 100"),
        ("[perturbations]\npatch_shuffle = [2.5]", "whole number from 1 to 32"),
        ("[perturbations]\nhue = [0.7]", "from 0 to 0.5"),
        (f"[perturbations]\nhue = [{10**400}]", "list of numbers"),
        ("[perturbations]\nhue = [0]", "other than 0"),
        ("[perturbations]\nhue = [0.2, 0.1]", "mild to strong"),
        ("[perturbations]\nrandom_resized_crop = [0.2, 0.5]", "mild to strong"),
        ("[perturbations]\nhue = [0.1, 0.1]", "mild to strong"),
        ('[perturbations]\nhue = "all"', "list of numbers"),
        ("[perturbations]\nhue = []", "list of numbers"),
        ("[perturbations\n", "a TOML file"),
        (f"repeats = {'9' * 5000}", "a TOML file, but got"),
        (f"a = {'[' * 3000}{']' * 3000}", "lists nested too deeply"),
    ],
)
def test_mistakes_get_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(content)
    with pytest.raises(SettingsError, match=said):
        load_config(path)


def test_unknown_presets_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"Did you mean 'standard'\? A"):
        load_config("standrad")
    with pytest.raises(SettingsError, match="no such file"):
        load_config(tmp_path / "none.toml")


def test_a_mark_of_the_byte_order_is_read_and_other_encodings_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = "description = '\u00e9'\n[perturbations]\nhue = [0.1]\n"
    path.write_text(text, encoding="utf-8-sig")
    assert load_config(path).description == "\u00e9"
    for encoding in ("utf-16", "cp1252"):
        path.write_text(text, encoding=encoding)
        with pytest.raises(SettingsError, match="got text that is not UTF-8"):
            load_config(path)


def test_a_folder_and_a_file_of_any_size_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(SettingsError, match="got 'Is a directory'"):
        load_config(tmp_path / "folder.toml")
    with (tmp_path / "large.toml").open("wb") as stream:
        stream.truncate(16 * 1024**2 + 1)
    with pytest.raises(SettingsError, match="got a file of more than 16 MB"):
        load_config(tmp_path / "large.toml")


def test_repeats_may_differ_between_perturbations(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[perturbations]\ngrayscale = [1]\nhue = [0.1, 0.2]\n[repeats]\nhue = 3\n")
    config = load_config(path)
    drawn = [(entry.name, entry.severity, entry.repeat) for entry in config.conditions()[1:]]
    assert drawn == [("grayscale", 1, 0), *[("hue", severity, repeat) for severity in (1, 2) for repeat in range(3)]]
    assert config.to_dict()["repeats_of"] == {"hue": 3}
    assert "repeats_of" not in load_config("quick").to_dict()
