"""The conditions of a table: rows cut where they change, and the images that all conditions have."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.perturbations.ablations import ABLATIONS, SHAM
from cuesense.predictions.table_columns import Coded, Rows
from cuesense.predictions.table_conditions import Block, aligned, blocks_of

Key = tuple[str, int, int]
CLEAN: Key = ("clean", 0, 0)


def coded(values: Sequence[str]) -> Coded:
    names = sorted(set(values))
    return Coded(np.array([names.index(value) for value in values]), names)


def rows_of(samples: Mapping[Key, Sequence[int]], classes: int = 3) -> Rows:
    """Return the sorted rows of a table whose conditions have these images; image i is of class i modulo classes."""
    cells = sorted((*key, f"{image:03d}") for key, images in samples.items() for image in images)
    numbers = [int(cell[3]) for cell in cells]
    labels = coded([f"class {number % classes}" for number in numbers])
    return Rows(
        samples=coded([cell[3] for cell in cells]),
        labels=labels,
        perturbations=coded([cell[0] for cell in cells]),
        severities=np.array([cell[1] for cell in cells]),
        repeats=np.array([cell[2] for cell in cells]),
        values=np.full(len(cells), np.nan),
        predicted=labels,
        corrected=None,
    )


def images_of(blocks: Sequence[Block], rows: Rows) -> dict[Key, list[int]]:
    return {
        (block.perturbation, block.severity, block.repeat): [
            int(rows.samples.names[code]) for code in rows.samples.codes[block.rows]
        ]
        for block in blocks
    }


def aligned_images(samples: Mapping[Key, Sequence[int]], classes: int = 3) -> tuple[dict[Key, list[int]], bool, str]:
    """Return the images that each condition keeps, whether they are paired, and the warnings in one text."""
    rows, warnings = rows_of(samples, classes), []
    blocks, paired = aligned(blocks_of(rows), rows, warnings)
    return images_of(blocks, rows), paired, " ".join(warnings)


KEYS: tuple[Key, ...] = (("grayscale", 1, 0), ("grayscale", 1, 1), ("grayscale", 2, 0), ("alpha", 1, 0), ("zoom", 3, 0))


@given(samples=st.dictionaries(st.sampled_from(KEYS), st.sets(st.integers(0, 9), min_size=1), min_size=1))
def test_every_condition_is_a_block_of_its_rows_and_the_clean_one_is_first(samples: dict[Key, set[int]]) -> None:
    samples[CLEAN] = {0, 1, 2}
    rows = rows_of({key: sorted(found) for key, found in samples.items()})
    blocks = blocks_of(rows)
    assert images_of(blocks, rows) == {key: sorted(found) for key, found in samples.items()}
    assert [block.severity == 0 for block in blocks] == [True] + [False] * (len(blocks) - 1)
    assert [(block.perturbation, block.severity, block.repeat) for block in blocks[1:]] == sorted(
        samples.keys() - {CLEAN}
    )
    assert sorted(np.concatenate([block.rows for block in blocks])) == list(range(len(rows.severities)))


@given(missing=st.dictionaries(st.sampled_from(KEYS[:3]), st.sets(st.integers(0, 11), max_size=8)))
def test_conditions_that_verdicts_use_keep_their_common_images_or_are_unpaired(missing: dict[Key, set[int]]) -> None:
    """The rule in plain sets: at least half of the largest condition's images must be common to all."""
    samples = {key: sorted(set(range(12)) - missing.get(key, set())) for key in (CLEAN, *KEYS[:3])}
    found, paired, warning = aligned_images(samples)
    common = sorted(set.intersection(*map(set, samples.values())))
    if len(common) == 12:
        assert (found, paired, warning) == (samples, True, "")
    elif len(common) >= 6:
        assert paired
        assert found == dict.fromkeys(samples, common)
        assert warning.startswith(f"Left out {12 - len(common)} of 12 images")
    else:
        assert not paired
        assert found == samples
        assert warning.startswith("The conditions have different images")


def test_the_rows_of_kept_images_stay_in_step() -> None:
    found, paired, _ = aligned_images({CLEAN: [1, 2, 4, 5, 9], KEYS[0]: [0, 1, 2, 5, 9]})
    assert paired
    assert found == {CLEAN: [1, 2, 5, 9], KEYS[0]: [1, 2, 5, 9]}


def test_images_that_the_clean_condition_lacks_are_left_out_too() -> None:
    found, _, warning = aligned_images({CLEAN: range(8), KEYS[0]: range(10)}, classes=2)
    assert found == {CLEAN: list(range(8)), KEYS[0]: list(range(8))}
    assert warning == "Left out 2 of 10 images, which some condition lacks; clean at severity 0 has fewest, 8."


def test_all_classes_that_are_lost_are_named_up_to_five() -> None:
    """The images of the last seven of sixteen classes are gone."""
    _, _, warning = aligned_images({CLEAN: range(16), KEYS[0]: range(9)}, classes=16)
    lost = "class 10, class 11, class 12, class 13, class 14 and 2 more"
    assert warning == (
        f"Left out 7 of 16 images (among them all of {lost}), which some condition lacks; "
        "grayscale at severity 1 has fewest, 9."
    )


@pytest.mark.parametrize("name", sorted({ablation.perturbation for ablation in (*ABLATIONS, *SHAM.values())}))
def test_no_ablation_and_no_sham_is_left_out(name: str) -> None:
    """The others keep all images, and so does the table: the ablation makes it unpaired where it lacks most."""
    samples = {CLEAN: range(20), ("a1", 1, 0): range(20), ("a2", 1, 0): range(20), (name, 1, 0): range(9)}
    found, paired, warning = aligned_images(samples)
    assert found == {key: list(images) for key, images in samples.items()}
    assert not paired
    assert "independent samples" in warning


@pytest.mark.parametrize(("kept", "left_out"), [(10, False), (9, True)])
def test_a_condition_that_no_verdict_uses_may_lack_half_of_the_images(kept: int, left_out: bool) -> None:
    samples = {CLEAN: range(20), ("a1", 1, 0): range(20), ("horizontal_flip", 2, 0): range(kept)}
    found, paired, warning = aligned_images(samples)
    assert paired
    assert (("horizontal_flip", 2, 0) not in found) == left_out
    assert len(found[CLEAN]) == (20 if left_out else kept)
    said = f"Left out horizontal_flip at severity 2, which lacks {20 - kept} of 20 images."
    assert (said in warning) == left_out


def test_a_condition_without_a_class_is_left_out_whatever_it_has_of_others() -> None:
    whole, without = list(range(20)), [image for image in range(20) if image % 3]
    samples = {CLEAN: whole, ("a1", 1, 0): whole, ("a2", 1, 0): whole, ("a2", 2, 0): without, ("b", 1, 0): without}
    found, paired, warning = aligned_images(samples)
    assert paired
    assert found == dict.fromkeys((CLEAN, ("a1", 1, 0), ("a2", 1, 0)), whole)
    assert warning == " ".join(
        f"Left out {name}, which lacks 7 of 20 images (among them all of class 0)."
        for name in ("a2 at severity 2", "b at severity 1")
    )


def test_a_class_that_the_clean_images_lack_does_not_count_as_lost() -> None:
    clean = [image for image in range(20) if image % 3]
    found, paired, warning = aligned_images({CLEAN: clean, ("a1", 1, 0): clean, ("a2", 1, 0): range(20)})
    assert paired
    assert found == dict.fromkeys((CLEAN, ("a1", 1, 0), ("a2", 1, 0)), clean)
    assert "Left out 7 of 20 images (among them all of class 0)" in warning


def test_where_most_conditions_have_other_images_all_are_kept() -> None:
    """The clean one and one of four others: fewer than half are of the clean images."""
    other = range(100, 120)
    samples = {CLEAN: range(20), **{(f"a{number}", 1, 0): other for number in range(3)}, ("b", 1, 0): range(20)}
    found, paired, _ = aligned_images(samples)
    assert not paired
    assert len(found) == 5
    del samples["a2", 1, 0]
    found, paired, warning = aligned_images(samples)
    assert paired
    assert sorted(found) == [("b", 1, 0), CLEAN]
    assert warning.count("which lacks 20 of 20 images") == 2


def test_the_images_of_a_block_are_never_changed_in_place() -> None:
    rows = rows_of({CLEAN: range(10), KEYS[0]: range(9)})
    blocks = blocks_of(rows)
    before = images_of(blocks, rows)
    aligned(blocks, rows, [])
    assert images_of(blocks, rows) == before
