"""The scripts that train networks for the joint model, fit it and measure it, on predictions with a planted truth."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from benchmarks import cue_model, cue_worlds
from benchmarks.joint import fitting, measuring
from benchmarks.joint.fitting import VERDICTS, Row, for_training, multinomial, probabilities, rows, weights_of
from benchmarks.joint.jobs import PRETRAINED, Job, jobs
from benchmarks.joint.kept import ALL, CONDITIONS, TEN, TWENTY, Asked, Draw, Member, Network, keep, networks
from benchmarks.joint.measuring import Answer, by_family, by_size, outcome, table
from benchmarks.joint.training import Sources, run, world
from cuesense.analysis import joint_model as module
from cuesense.analysis.joint_model import JointModel, design
from cuesense.perturbations.ablations import JOINT_ABLATIONS
from cuesense.types import Cue, CueVerdict

SHAPE, TEXTURE, COLOR = Cue.SHAPE, Cue.TEXTURE, Cue.COLOR
REMOVES = {
    "grayscale": COLOR,
    "channel": COLOR,
    "shuffle": SHAPE,
    "rotation": SHAPE,
    "opening": TEXTURE,
    "median": TEXTURE,
    "bilateral": TEXTURE,
    "gaussian": TEXTURE,
}
# Two classes of each kind: enough of them to be among many.
PLANTED = (
    *[(CueVerdict(cue.value), (cue,)) for cue in (SHAPE, TEXTURE, COLOR)] * 2,
    *[(CueVerdict.MIXED, (SHAPE, COLOR)), (CueVerdict.REDUNDANT, (SHAPE, COLOR))] * 2,
)
# Rows of the counterfactual images: bits keep color, shape, texture.
BITS = (COLOR, SHAPE, TEXTURE)


def recognized(truth: CueVerdict, carriers: tuple[Cue, ...], left: set[Cue]) -> bool:
    return bool(set(carriers) & left) if truth is CueVerdict.REDUNDANT else set(carriers) <= left


def left_by(name: str) -> set[Cue]:
    return set(Cue) - {cue for part, cue in REMOVES.items() if part in name}


def network(folder: Path, job: Job, images: int = 24, classes: int = len(PLANTED), noise: float = 0.1) -> Network:
    """Keep the predictions of a network that recognizes classes by the cues that were planted, but for noise."""
    random, planted = np.random.default_rng(job.seed), PLANTED[:classes]
    labels = np.repeat(np.arange(classes), images)
    scores = np.full((1 + len(CONDITIONS), len(labels), classes), -20.0, dtype=np.float32)
    for row, name in enumerate(["clean", *(name for name, _ in CONDITIONS)]):
        seen = np.array([recognized(*planted[label], left_by(name)) for label in labels])
        seen &= random.random(len(labels)) >= (noise if row else 0)
        answer = np.where(seen, labels, random.integers(0, classes, len(labels)))
        scores[row, np.arange(len(labels)), answer] = 0
    kept = [{cue for place, cue in enumerate(BITS) if bits >> place & 1} for bits in range(8)]
    recall = np.array([[float(recognized(*member, left)) for member in planted] for left in kept])
    members = {f"class {index}": Member(*member) for index, member in enumerate(planted)}
    path = folder / f"{job.name('made', classes)}.npz"
    keep(path, job=asdict(job), members=members, labels=labels, answers=Asked(scores, recall))
    return Network(path)


@pytest.fixture
def made(tmp_path: Path) -> list[Network]:
    for family in ("planted", "single:lines"):
        for seed in (0, 1):
            network(tmp_path, Job(family, seed, 64, "residual"))
    return networks(tmp_path)


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    kept = network(tmp_path, Job("photoset:edges:views", 7, 224, PRETRAINED, tag="weak"))
    assert kept.path.name == "photoset_edges_views-7-224-made-10weak.npz"
    assert (kept.family, kept.single, kept.side, kept.odd) == ("photoset", True, 224, True)
    assert [(member.truth, set(member.carriers)) for member in kept.members] == [(t, set(c)) for t, c in PLANTED]
    predictions = kept.predictions(ALL)
    assert [(found.name, found.value) for found in predictions.conditions[1:]] == list(CONDITIONS)
    assert predictions.side == 224
    assert (predictions.per_condition[0].predicted == predictions.per_condition[0].labels).all()
    assert not list(tmp_path.glob("*.unfinished"))


@pytest.mark.parametrize(("draw", "each"), [(ALL, 24), (TWENTY, 20), (TEN, 10), (Draw(99), 24)])
def test_a_draw_has_as_many_images_of_every_class(tmp_path: Path, draw: Draw, each: int) -> None:
    labels = network(tmp_path, Job("planted", 0, 64, "residual")).predictions(draw).per_condition[0].labels
    assert Counter(labels.tolist()) == dict.fromkeys(range(len(PLANTED)), each)


def test_what_was_learned_is_what_counterfactual_images_show(tmp_path: Path) -> None:
    kept = network(tmp_path, Job("planted", 0, 64, "residual"))
    assert kept.learned == tuple(truth for truth, _ in PLANTED)
    recall = kept.stored["counterfactual"].copy()
    color, mixed = 2, 6
    # One class relies on the cue of another, and one of two cues that were to be needed together suffices.
    recall[:, color] = recall[:, 0]
    recall[[0b001, 0b101], mixed] = 0.9
    fresh = Network(kept.path)
    fresh.stored["counterfactual"] = recall
    expected = [truth for truth, _ in PLANTED]
    expected[color], expected[mixed] = CueVerdict.SHAPE, CueVerdict.COLOR
    assert fresh.learned == tuple(expected)
    single = Network(network(kept.path.parent, Job("single:lines", 2, 64, "residual")).path)
    single.stored["counterfactual"] = recall
    assert single.learned == tuple(truth for truth, _ in PLANTED)


def test_rows_hold_the_distinct_shares_in_the_order_of_the_weights(tmp_path: Path) -> None:
    kept = network(tmp_path, Job("planted", 0, 64, "residual"), noise=0.0)
    for row in rows([kept], ALL):
        for (name, _), share in zip(JOINT_ABLATIONS, row.distinct, strict=True):
            holds = recognized(*PLANTED[row.index], left_by(name))
            assert (share > 0.5) == holds, (row.index, name, share)


def test_training_leaves_out_few_classes_and_what_was_not_learned(tmp_path: Path) -> None:
    many = network(tmp_path, Job("planted", 0, 64, "residual"))
    few = network(tmp_path, Job("planted", 2, 64, "residual"), classes=5)
    six = network(tmp_path, Job("planted", 4, 64, "residual"), classes=6)
    assert len(for_training([many, few, six])) == 2 * (10 + 6)
    unlearned = Network(many.path)
    unlearned.stored["counterfactual"][:, 0] = unlearned.stored["counterfactual"][:, 2]
    assert sorted({row.index for row in for_training([unlearned])}) == list(range(1, 10))


def test_classes_that_are_hardly_recognized_are_no_rows(tmp_path: Path) -> None:
    kept = network(tmp_path, Job("planted", 0, 64, "residual"))
    for images, expected in ((15, 10), (14, 9)):
        fresh = Network(kept.path)
        fresh.stored["predicted"][0, images:24] = 1
        assert len(rows([fresh], Draw(99, images))) == expected


def a_row(truth: CueVerdict, family: str = "planted", size: int = 64, learned: CueVerdict | None = None) -> Row:
    found = Network(Path(f"{family}-{truth}-{size}.npz"))
    found.__dict__["job"] = {"family": family, "seed": 0, "size": size}
    found.__dict__["stored"] = {"class_names": np.array(["a"] * 10)}
    return Row(found, 0, truth, learned or truth, 1.0, np.zeros(len(JOINT_ABLATIONS)))


def test_a_class_counts_less_the_more_there_are_of_its_kind() -> None:
    chosen = [
        *[a_row(CueVerdict.SHAPE)] * 4,
        a_row(CueVerdict.SHAPE, size=224),
        *[a_row(CueVerdict.SHAPE, "parts", size) for size in (32, 128)],
        *[a_row(CueVerdict.COLOR)] * 9,
    ]
    assert weights_of(chosen) == pytest.approx([1 / 2] * 4 + [1] + [2**-0.5] * 2 + [1 / 3] * 9)


def test_the_fit_is_where_the_gradient_of_the_penalized_likelihood_is_zero() -> None:
    random = np.random.default_rng(0)
    predictors = np.column_stack([np.ones(60), random.normal(size=(60, 3))])
    truth, weights = random.integers(0, 5, 60), random.uniform(0.5, 2, 60)
    found = multinomial(predictors, truth, weights, penalty=0.7)
    for column in range(4):
        for verdict in range(5):
            gradient = 0.7 * found[column, verdict] if column else 0.0
            for index in range(60):
                odds = [np.exp(predictors[index] @ found[:, other]) for other in range(5)]
                error = odds[verdict] / sum(odds) - (truth[index] == verdict)
                gradient += weights[index] / weights.mean() * error * predictors[index, column]
            assert gradient == pytest.approx(0, abs=1e-4)


def test_the_intercept_is_free() -> None:
    truth = np.array([0] * 97 + [1, 2, 3])
    found = multinomial(np.ones((100, 1)), truth, np.ones(100))
    assert probabilities(np.ones((1, 1)), found)[0] == pytest.approx([0.97, 0.01, 0.01, 0.01, 0], abs=1e-3)


def test_fit_writes_weights_that_the_package_reads(
    made: list[Network], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assets").mkdir()
    out = tmp_path / "assets" / "cue_model.json"
    monkeypatch.setattr("sys.argv", ["cue_model.py", "fit", str(tmp_path), "--out", str(out)])
    cue_model.main()
    content = json.loads(out.read_text())
    assert content["features"] == [list(ablation) for ablation in JOINT_ABLATIONS]
    assert content["verdicts"] == list(VERDICTS)
    module.joint_model.cache_clear()
    with mock.patch.object(module.package_files, "folder", lambda name: tmp_path / name):
        model = module.joint_model()
    module.joint_model.cache_clear()
    chosen = for_training(made)
    assert model.weights == pytest.approx(fitting.fitted(chosen).weights, abs=1e-4)
    counts = Counter((row.truth, row.network.family) for row in chosen)
    weights = [counts[row.truth, row.network.family] ** -0.5 for row in chosen]

    def loss(values: np.ndarray) -> float:
        """Return what the fit minimizes, class by class."""
        total = float((values[1:] ** 2).sum()) / 2
        for row, weight in zip(chosen, weights, strict=True):
            scores = design(row.distinct[:, None], 64)[0] @ values
            likely = np.exp(scores[VERDICTS.index(row.truth)]) / np.exp(scores).sum()
            total -= weight / np.mean(weights) * np.log(likely)
        return total

    least, random = loss(model.weights), np.random.default_rng(0)
    for _ in range(5):
        assert loss(model.weights + random.normal(0, 0.02, model.weights.shape)) > least
    for odd in [kept for kept in made if kept.odd]:
        for row in rows([odd], ALL):
            scores = design(row.distinct[:, None], 64)[0] @ model.weights
            assert VERDICTS[int(scores.argmax())] is row.truth


def test_fit_needs_a_place_for_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["cue_model.py", "fit", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        cue_model.main()
    assert stopped.value.code == 2
    assert "Add --out" in capsys.readouterr().err


def test_answers_are_those_of_the_model_given(made: list[Network]) -> None:
    """A model that always says color is as good as there are classes of color, whatever the shipped one says."""
    weights = np.zeros((len(design(np.zeros((len(JOINT_ABLATIONS), 1)), 64)[0]), len(VERDICTS)))
    weights[0, VERDICTS.index(CueVerdict.COLOR)] = 50
    found = measuring.answers(made[:1], ALL, JointModel(VERDICTS, weights))
    assert {answer.joint for answer in found} == {CueVerdict.COLOR}
    assert len({answer.boolean for answer in found}) > 2
    assert {answer.given for answer in found} <= {CueVerdict.COLOR, *measuring.OPEN}


def test_each_family_is_measured_by_a_model_that_has_not_seen_it(made: list[Network]) -> None:
    seen: list[set[str]] = []

    def fitted(chosen: list[Row]) -> JointModel:
        seen.append({row.network.family for row in chosen} | {str(row.network.odd) for row in chosen})
        return module.joint_model()

    with mock.patch.object(measuring, "fitted", fitted):
        found = measuring.odd_seeds(made)
        assert seen == [{"planted", "single", "False"}]
        assert {answer.row.network.odd for answer in found[50]} == {True}
        seen.clear()
        with mock.patch.object(measuring, "FAMILIES", {"planted": "worlds", "single": "one cue"}):
            left_out = measuring.families_left_out(made)
    assert seen == [{"single", "True", "False"}, {"planted", "True", "False"}]
    assert {images: len(part) for images, part in left_out.items()} == {50: 40, 20: 40, 10: 40}


def test_the_table_counts_right_learned_wrong_and_open_verdicts() -> None:
    shape, color, mixed = CueVerdict.SHAPE, CueVerdict.COLOR, CueVerdict.MIXED
    given = (shape, color, mixed, CueVerdict.UNDETERMINED, CueVerdict.FINE_DETAIL)
    chosen = [Answer(a_row(shape, learned=color), shape, shape, verdict) for verdict in given]
    assert outcome(chosen, lambda answer: answer.given) == "20 + 20 / 20.0 / 40"
    assert outcome(chosen, lambda answer: answer.boolean) == "100 + 0 / 0.0 / 0"
    large = [Answer(a_row(shape, "single:lines", 224), color, shape, shape)]
    text = table({50: [*large, *chosen], 20: chosen}, by_size).splitlines()[2:]
    assert [line.split(" | ")[:3] for line in text] == [
        ["| worlds, 64 and 128 px", "50", "5"],
        ["| worlds, 64 and 128 px", "20", "5"],
        ["| one cue, 224 px", "50", "1"],
    ]
    assert text[2].endswith("| 0 + 0 / 100.0 / 0 | 100 + 0 / 0.0 / 0 | 100 + 0 / 0.0 / 0 | 1.00 |")
    assert [by_family(answer.row) for answer in large] == ["synthetic, one cue"]


def test_jobs_have_unique_files_and_even_and_odd_seeds_of_every_kind() -> None:
    every = jobs()
    names = [job.name(job.network, 0) for job in every]
    assert len(set(names)) == len(names) == 408
    kinds = {(job.family, job.size, job.network, job.tag) for job in every}
    for odd in (0, 1):
        assert {(job.family, job.size, job.network, job.tag) for job in every if job.seed % 2 == odd} == kinds
    assert [job.priority for job in every] == sorted(job.priority for job in every)


def test_parts_share_the_jobs_and_leave_out_what_needs_more() -> None:
    plain, full = Sources(None, None, "cpu"), Sources(Path("photos"), Path("weights"), "cpu")
    parts = [cue_worlds.chosen(full, "", (part, 3)) for part in range(3)]
    assert Counter(job.name(job.network, 0) for part in parts for job in part) == Counter(
        job.name(job.network, 0) for job in jobs()
    )
    able = cue_worlds.chosen(plain, "", (0, 1))
    assert able
    assert all(job.network != PRETRAINED and job.kind != "photoset" for job in able)
    assert {job.size for job in cue_worlds.chosen(plain, "-32-", (0, 1))} == {32}


def test_training_stops_in_time_and_skips_what_is_there(tmp_path: Path) -> None:
    todo = [Job("planted", seed, 32, "residual") for seed in range(4)]
    (tmp_path / f"{todo[1].name('residual', 19)}.npz").touch()
    done: list[int] = []
    with mock.patch.object(cue_worlds, "run", lambda job, *_: done.append(job.seed) or []):
        cue_worlds.train(todo, Sources(None, None, "cpu"), tmp_path, float("inf"))
        assert done == [0, 2, 3]
        cue_worlds.train(todo, Sources(None, None, "cpu"), tmp_path, -1.0)
    assert done == [0, 2, 3]


def test_cues_are_redrawn_in_worlds_of_every_family() -> None:
    for family, counts in (("planted", {"null": 0}), ("parts", {"color": 2}), ("fields", {"color": 2})):
        job = Job(family, 3, 32, "residual", counts)
        plain, redrawn = world(job, "test", 1), world(job, "test", 1, (COLOR,))
        assert plain.class_names == redrawn.class_names
        assert not np.array_equal(np.asarray(plain[0].image), np.asarray(redrawn[0].image))


def test_one_network_is_trained_asked_and_kept(tmp_path: Path) -> None:
    job = Job("fields", 3, 32, "residual", {"color": 2, "shape": 1})
    small = replace(job, train=24, test=3, counterfactual=2, epochs=1)
    (said,) = run(small, Sources(None, None, "cpu"), tmp_path)
    (kept,) = networks(tmp_path)
    assert said.startswith("fields-3-32-residual-3: clean accuracy")
    assert [member.truth.value for member in kept.members] == ["color", "color", "shape"]
    assert kept.stored["predicted"].shape == (1 + len(CONDITIONS), 9)
    assert kept.stored["counterfactual"].shape == (8, 3)
    assert len(kept.learned) == 3
    assert kept.predictions(ALL).class_names == ("color-0", "color-1", "shape-0")
