"""What is left of an analysis, and how it is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cuesense.inference.options import Part, RunOptions
from cuesense.inference.pace import Pace
from cuesense.inference.units import Run
from cuesense.predictions.shards import OutcomeStore
from cuesense.workflows import cost
from cuesense.workflows.cost import Stage, pace_of, say_cost, seconds_of
from tests.helpers.engine_runs import CONDITIONS, run
from tests.helpers.small_networks import Colors, classifier

OPTIONS = RunOptions(batch_size=8, workers=1, seed=5)
A_SECOND_EACH = Pace(
    0.0, 1.0, {(condition.name, condition.value): 0.0 for condition in CONDITIONS}, 2 * 10**9, device_memory=None
)


def stage(store: OutcomeStore, options: RunOptions = OPTIONS) -> Stage:
    return Stage(Run(classifier(), Colors(40), (0, 1, 2), tuple(CONDITIONS), options), store)


def test_what_is_there_is_not_left() -> None:
    store = OutcomeStore()
    assert stage(store).forwards == 40 * 4
    run(Colors(40), store=store, conditions=CONDITIONS[:3])
    assert stage(store).forwards == 40
    run(Colors(40), store=store)
    assert stage(store).forwards == 0


def test_a_part_computes_its_share() -> None:
    shares = [stage(OutcomeStore(), replace(OPTIONS, part=Part(number, 3))) for number in (1, 2, 3)]
    assert sum(share.forwards for share in shares) == 160
    assert all(0 < share.forwards < 160 for share in shares)


def test_stages_take_as_long_as_their_units_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cuesense.inference.pace.cores", lambda: 1)
    both = [stage(OutcomeStore()), stage(OutcomeStore())]
    assert seconds_of(both, A_SECOND_EACH) == 2 * 160
    assert seconds_of(both, None) is None
    assert pace_of(both) is not None


def test_a_run_says_what_it_takes_unless_all_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cuesense.inference.pace.cores", lambda: 1)
    monkeypatch.setattr(cost, "measure_pace", lambda *_: A_SECOND_EACH)
    said: list[str] = []
    say_cost([stage(OutcomeStore())], said.append, adaptive=False)
    assert said == [
        "160 forward passes are still to be computed: about 3 min and 2.0 GB of memory, without the report."
    ]
    store = OutcomeStore()
    run(Colors(40), store=store)
    say_cost([stage(store)], said.append, adaptive=False)
    monkeypatch.setattr(cost, "measure_pace", lambda *_: None)
    say_cost([stage(OutcomeStore())], said.append, adaptive=False)
    assert len(said) == 1
