from dataclasses import replace

import numpy as np
import pytest

from cuesense.adaptive import cues
from cuesense.adaptive.cues import VERDICTS, cue_conditions, cues_now, likely_cues
from cuesense.analysis.cues import name_cues
from cuesense.analysis.evidence import gather
from cuesense.types import Role
from tests.helpers.full_runs import full_run
from tests.helpers.parts_of_images import part_of

RUN = full_run(40, each=2)
LABELS = RUN.per_condition[0].labels
EVERY = range(len(RUN.class_names))


@pytest.fixture(autouse=True)
def _few_simulated_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cues, "SIMULATED_RUNS", 12)


def first(number: int) -> np.ndarray:
    return np.arange(len(LABELS)) % 40 < number


def test_cues_rest_on_the_clean_images_and_on_no_augmentation() -> None:
    rows = cue_conditions(RUN)
    assert rows[0] == 0
    assert len(rows) == 1 + sum(c.perturbation.role is not Role.AUGMENTATION for c in RUN.conditions[1:])


def test_with_all_images_seen_the_answer_is_that_of_the_full_run_and_certain() -> None:
    found = likely_cues([RUN], first(40), EVERY, 0.95, np.random.default_rng(0))
    truth = [entry.cue for entry in name_cues(gather(RUN, 0.95), RUN.class_names)]
    assert [VERDICTS[answer] for answer in found.answer.tolist()] == truth
    assert set(found.agreement.tolist()) == {1.0}


def test_clear_cues_are_known_from_a_part_and_less_surely_from_less() -> None:
    some = likely_cues([RUN], first(20), EVERY, 0.95, np.random.default_rng(0))
    names = [VERDICTS[answer].value for answer in some.answer.tolist()]
    assert names == ["color", "color", "shape", "shape", "texture", "texture"]
    few = likely_cues([RUN], first(4), EVERY, 0.95, np.random.default_rng(0))
    assert few.agreement.mean() < some.agreement.mean() - 0.05
    assert some.agreement.min() > 0.8


def test_only_the_classes_that_are_asked_for_are_answered() -> None:
    found = likely_cues([RUN], first(20), [5, 0], 0.95, np.random.default_rng(0))
    assert [VERDICTS[answer].value for answer in found.answer.tolist()] == ["texture", "color"]


def test_an_answer_is_as_sure_as_the_prior_corrections_agree() -> None:
    """In the second version every class keeps all of its images under every condition."""
    other = replace(RUN, per_condition=RUN.per_condition[:1] * len(RUN.conditions))
    found = likely_cues([RUN, other], first(40), EVERY, 0.95, np.random.default_rng(0))
    assert set(found.agreement.tolist()) == {0.5}


@pytest.mark.parametrize("number", [4, 12, 40])
def test_what_the_images_seen_lead_to_is_the_cue_that_an_analysis_of_them_names(number: int) -> None:
    seen = first(number)
    truth = [entry.cue for entry in name_cues(gather(part_of(RUN, seen), 0.95), RUN.class_names)]
    assert [VERDICTS[answer] for answer in cues_now(RUN, seen, [1, 4], 0.95)] == [truth[1], truth[4]]
    assert len({*truth}) == (1 if number == 4 else 3)
