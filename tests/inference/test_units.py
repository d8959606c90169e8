"""A run cut into units of work: every image under every condition once, alike in every part and after every stop."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.inference import units as units_room
from cuesense.inference.engine import carry_out, predict
from cuesense.inference.options import Part, RunOptions
from cuesense.inference.units import Identities, Run, Unit, finer, together, units
from cuesense.predictions.shards import OutcomeStore
from cuesense.registry import get
from cuesense.types import Condition, no_progress
from tests.helpers.engine_runs import CONDITIONS, read
from tests.helpers.small_networks import Colors, Meanest, classifier


def run_of(images: int, batch_size: int = 8, parts: int = 1, conditions: int = 4) -> Run:
    jitter = replace(get("perturbations", "color_jitter"), ladder=(0.4,))
    chosen = [Condition(), *(Condition(jitter, 1, repeat) for repeat in range(conditions - 1))]
    options = RunOptions(batch_size=batch_size, part=Part(1, parts))
    return Run(classifier(), Colors(images), (0, 1, 2), tuple(chosen), options)


def cut(run: Run) -> list[Unit]:
    store = OutcomeStore()
    return units(run, store, Identities(run, store))


def cells(work: list[Unit]) -> list[tuple[int, int]]:
    return [(image, condition) for unit in work for image in unit.images for condition in unit.conditions]


@settings(deadline=None)
@given(images=st.integers(1, 60), batch_size=st.integers(1, 40), parts=st.integers(1, 7), conditions=st.integers(1, 9))
def test_every_image_is_under_every_condition_once(images: int, batch_size: int, parts: int, conditions: int) -> None:
    run = run_of(images if images % 7 else images + 1, batch_size, parts, conditions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units_room, "SHARD_SIZE", 12)
        work = cut(run)
    everything = [(image, condition) for image in range(len(run.dataset)) for condition in range(conditions)]
    assert sorted(cells(work)) == everything
    assert {unit.part for unit in work} <= set(range(1, parts + 1))
    ids = run.dataset.sample_ids
    for unit in work:
        assert [ids[image] for image in unit.images] == sorted(ids[image] for image in unit.images)
        assert len(unit.images) <= max(12, batch_size)


def test_few_images_are_cut_by_conditions_so_that_all_parts_have_work() -> None:
    assert len(cut(run_of(30, parts=1))) == 1
    work = cut(run_of(30, parts=3, conditions=40))
    assert {unit.part for unit in work} == {1, 2, 3}
    assert len(work) == 12
    # There are no more groups than conditions.
    assert len(cut(run_of(30, parts=3, conditions=2))) == 2


def test_shards_are_whole_batches() -> None:
    assert [run_of(600, size).shard_size for size in (1, 32, 100, 128, 300, 1024)] == [128, 128, 100, 128, 300, 608]
    # More than there are images would only be filled up; small batches are what a traced network may insist on.
    assert [run_of(20, size).batch_size for size in (64, 128, 512)] == [64, 128, 128]


@pytest.mark.parametrize("done", [(2,), (3, 1), (1, 2)])
def test_a_part_cuts_alike_whatever_the_others_have_done(
    done: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units_room, "SHARD_SIZE", 8)
    store = OutcomeStore.open(tmp_path / "o", {})
    run = run_of(45, parts=3)
    planned = {number: [unit for unit in cut(run) if unit.part == number] for number in (1, 2, 3)}
    for number in done:
        options = replace(run.options, part=Part(number, 3))
        predict(run.classifier, run.dataset, run.outputs, run.conditions, store, options)
    left = units(run, store, Identities(run, store))
    assert left == [unit for unit in cut(run) if unit.part not in done]
    assert {unit.part for unit in left} == {number for number in planned if number not in done}


def test_parts_find_what_the_others_lack_and_end_in_the_same_outcomes(tmp_path: Path) -> None:
    whole = predict(classifier(), Colors(45), (0, 1, 2), CONDITIONS, OutcomeStore(), RunOptions(batch_size=8))
    for number, unfinished in ((3, (1, 2)), (1, (2,)), (1, (2,)), (2, ())):
        # A store of its own, as another process has.
        store = OutcomeStore.open(tmp_path / "o", {}, shared=True)
        options = RunOptions(batch_size=8, part=Part(number, 3))
        found = predict(classifier(), Colors(45), (0, 1, 2), CONDITIONS, store, options)
        assert found.unfinished == unfinished
    for one, other in zip(read(whole), read(found), strict=True):
        assert one.scores.tobytes() == other.scores.tobytes()


class Counting(Meanest):
    """Counts the images that it is given, those that fill batches up with them."""

    seen = 0

    def forward(self, images):
        Counting.seen += len(images)
        return super().forward(images)


def forwards(
    store: OutcomeStore, images: int, conditions: list[Condition], outputs: tuple[int, ...] = (0, 1, 2)
) -> int:
    Counting.seen = 0
    options = RunOptions(batch_size=1, seed=5)
    found = predict(classifier(Counting()), Colors(images), outputs, conditions, store, options)
    assert len(found.images.labels) == images
    assert len(list(found.conditions(range(len(conditions))))) == len(conditions)
    return Counting.seen


def test_only_what_is_new_is_computed(tmp_path: Path) -> None:
    store = OutcomeStore.open(tmp_path / "o", {})
    gray = get("perturbations", "grayscale")
    some = [Condition(), Condition(replace(gray, ladder=(1.0,)), 1)]
    more = [Condition(), *(Condition(replace(gray, ladder=(0.5, 1.0)), severity) for severity in (1, 2))]
    assert forwards(store, 20, some) == 40
    assert forwards(store, 20, some) == 0
    # One severity more: the other one is another step of the ladder now, and the same value.
    assert forwards(store, 20, more) == 20
    # More images, of which the first 20 are other places of the dataset now.
    assert forwards(store, 30, more) == 30
    assert forwards(store, 30, [*more, replace(more[2], repeat=1)]) == 30
    assert forwards(OutcomeStore.open(tmp_path / "o", {}), 25, some) == 0
    # Other outputs are right for the images: the probability of the true class is another one.
    assert forwards(store, 20, some, (0, 2, 1)) == 2 * sum(label != 0 for label in Colors(20).labels)


def test_more_classes_cost_only_their_images(tmp_path: Path) -> None:
    """The scores of all three outputs are kept: those of the third class are known of the other images."""

    class Two(Colors):
        class_names = ("brick", "grass")

        @property
        def sample_ids(self) -> list[str]:
            return [name for name in Colors(30).sample_ids if int(name) % 3 < 2]

    store = OutcomeStore.open(tmp_path / "o", {})
    Counting.seen = 0
    two = Two(20)
    predict(classifier(Counting()), two, (0, 1), CONDITIONS, store, RunOptions(batch_size=1, seed=5))
    assert Counting.seen == 80
    assert forwards(store, 30, CONDITIONS) == 40
    fresh = predict(classifier(), Colors(30), (0, 1, 2), CONDITIONS, OutcomeStore(), RunOptions(batch_size=1, seed=5))
    again = predict(classifier(), Colors(30), (0, 1, 2), CONDITIONS, store, RunOptions(batch_size=1, seed=5))
    for one, other in zip(read(fresh), read(again), strict=True):
        assert one.scores.tobytes() == other.scores.tobytes()
        assert one.classes.tobytes() == other.classes.tobytes()


def test_an_image_that_changed_is_computed_again(tmp_path: Path) -> None:
    class Darker(Colors):
        def __getitem__(self, index: int):  # type: ignore[no-untyped-def]
            sample = super().__getitem__(index)
            return replace(sample, image=sample.image // 2) if sample.id == "00004" else sample

    store = OutcomeStore.open(tmp_path / "o", {})
    forwards(store, 20, CONDITIONS)
    Counting.seen = 0
    predict(classifier(Counting()), Darker(20), (0, 1, 2), CONDITIONS, store, RunOptions(batch_size=1, seed=5))
    assert Counting.seen == len(CONDITIONS)


@given(workers=st.integers(1, 9), count=st.integers(0, 12), conditions=st.integers(1, 9))
def test_a_finer_cut_is_of_the_same_images_and_conditions(workers: int, count: int, conditions: int) -> None:
    work = [Unit((2 * place, 2 * place + 1), tuple(range(conditions)), 3) for place in range(count)]
    found = finer(work, workers)
    assert sorted(cells(found)) == sorted(cells(work))
    assert all(unit.part == 3 and unit.conditions for unit in found)
    assert len(found) >= min(4 * workers, count * conditions)
    if count >= 4 * workers:
        assert found == work, "there are enough: an image is decoded once"


@pytest.mark.parametrize("batch_size", [1, 8])
def test_chosen_images_under_chosen_conditions_give_what_they_give_in_a_full_run(
    batch_size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units_room, "SHARD_SIZE", 8)
    options = RunOptions(batch_size=batch_size, seed=5)
    whole = predict(classifier(), Colors(45), (0, 1, 2), CONDITIONS, OutcomeStore(), options)
    random = np.random.default_rng(2)
    chosen = random.random((4, 45)) < np.array([1.0, 0.5, 0.2, 0.4])[:, None]
    run = Run(classifier(Counting()), Colors(45, frozenset({3})), (0, 1, 2), tuple(CONDITIONS), options, chosen)
    store = OutcomeStore.open(tmp_path / "o", {})
    Counting.seen, counted = 0, []
    found = carry_out(run, Identities(run, store), store, lambda done, total: counted.append((done, total)))
    ids = sorted(run.dataset.sample_ids)
    readable = np.delete(np.arange(45), ids.index(run.dataset.sample_ids[3]))
    assert [name for name, _ in found.skipped] == [run.dataset.sample_ids[3]]
    if batch_size == 1:
        assert Counting.seen == chosen[:, readable].sum()
    else:
        # At most one batch of each condition in every group of units is filled up.
        assert Counting.seen < chosen.sum() + 8 * 4 * 2
    assert counted[-1] == (chosen.sum() // 4, 45)
    for row, (one, other) in enumerate(zip(read(found), read(whole), strict=True)):
        seen = chosen[row, readable]
        assert one.seen is None if seen.all() else one.seen.tolist() == seen.tolist()
        np.testing.assert_array_equal(one.scores[seen], other.scores[readable][seen])
        np.testing.assert_array_equal(one.predicted[seen], other.predicted[readable][seen])
    # Nothing is computed twice, neither the same cells nor some of more.
    Counting.seen = 0
    more = replace(run, cells=chosen | (random.random((4, 45)) < 0.1))
    carry_out(run, Identities(run, store), store, no_progress)
    assert Counting.seen == 0
    carry_out(more, Identities(more, store), store, no_progress)
    if batch_size == 1:
        assert Counting.seen == (more.cells & ~chosen)[:, readable].sum()  # type: ignore[operator]


def test_small_units_are_grouped_so_that_their_images_share_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units_room, "_IMAGES_TOGETHER", 5)
    work = [Unit((2 * place, 2 * place + 1), (place,)) for place in range(7)]
    run = replace(run_of(14), cells=np.ones((4, 14), dtype=bool))
    assert together(run, work) == [work[:3], work[3:6], work[6:]]
    assert together(replace(run, cells=None), work) == [[unit] for unit in work]
