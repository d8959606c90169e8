import math

import numpy as np
import pytest
from scipy import stats

from cuesense.reports.charts.curve_accuracies import class_accuracies, correct_counts, dataset_overview, z_score
from cuesense.schemas.profile import CurveModel
from cuesense.stats.intervals import wilson
from tests.helpers import profiles
from tests.helpers.partly_seen import ACCURACIES, SEEN, jitter_curve, partly_seen


def test_z_score_is_the_two_sided_quantile():
    assert z_score(0.95) == pytest.approx(stats.norm.ppf(0.975))


@pytest.mark.parametrize("empty", [0, 3])
@pytest.mark.parametrize("name", ["patch_shuffle", "color_jitter"])
def test_the_overview_agrees_with_plain_loops(name, empty):
    profile = profiles.profile(12, empty=empty, seed=5)
    curve = next(curve for curve in profile.curves if curve.perturbation == name)
    found = dataset_overview(curve, 0.95)
    table = {index: accuracies(curve, index) for index in range(12) if curve.n[index]}
    worst = min(table, key=lambda index: sum(table[index][1:]))
    assert found is not None
    assert len(table) == 12 - empty
    assert found.worst_class == worst
    assert found.worst.tolist() == pytest.approx(table[worst])
    for severity in range(len(curve.values) + 1):
        column = sorted(row[severity] for row in table.values())
        assert found.mean[severity] == pytest.approx(sum(column) / len(column))
        assert found.spread[:, severity] == pytest.approx([quantile(column, 0.1), quantile(column, 0.9)])
        assert found.worst_bounds[0, severity] <= found.worst[severity] <= found.worst_bounds[1, severity]


def accuracies(curve: CurveModel, index: int) -> list[float]:
    images = curve.n[index] * curve.repeats
    clean = curve.clean_correct[index] * curve.repeats
    changes = [gained[index] - lost[index] for lost, gained in zip(curve.lost, curve.gained, strict=True)]
    return [(clean + change) / images for change in [0, *changes]]


def quantile(ordered: list[float], share: float) -> float:
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def test_repeats_are_averaged_and_do_not_narrow_the_interval():
    curve = profiles.profile(4, seed=1).curves[0]
    thrice = curve.model_copy(
        update={
            "repeats": 3,
            "lost": [[3 * count for count in row] for row in curve.lost],
            "gained": [[3 * count for count in row] for row in curve.gained],
        }
    )
    np.testing.assert_allclose(correct_counts(thrice), correct_counts(curve))
    one, three = dataset_overview(curve, 0.95), dataset_overview(thrice, 0.95)
    assert one is not None
    assert three is not None
    np.testing.assert_allclose(one.worst_bounds, three.worst_bounds)


def test_there_is_no_overview_without_images_or_severities():
    assert dataset_overview(profiles.profile(3, empty=3).curves[0], 0.95) is None
    bare = profiles.profile(3).curves[0].model_copy(update={"values": [], "lost": [], "gained": []})
    assert dataset_overview(bare, 0.95) is None


def test_the_worst_class_is_the_one_with_the_lowest_perturbed_accuracy_and_keeps_its_position():
    counts = {"n": [0, 100, 100], "clean_correct": [0, 50, 100], "lost": [[0, 0, 35]], "gained": [[0, 20, 0]]}
    found = dataset_overview(profiles.profile(3).curves[0].model_copy(update={"values": [1.0]} | counts), 0.95)
    assert found is not None
    assert found.worst_class == 2
    assert found.worst.tolist() == [1.0, 0.65]


def test_the_accuracies_of_a_class_agree_with_plain_loops():
    profile = profiles.profile(12, empty=1, seed=5)
    for curve in profile.curves:
        for index in range(11):
            assert class_accuracies(curve, index) == pytest.approx(accuracies(curve, index))
        assert class_accuracies(curve, 11) == [None] * (len(curve.values) + 1)


def test_severities_of_a_part_of_the_images_are_drawn_by_the_part():
    curve = jitter_curve(partly_seen())
    assert [class_accuracies(curve, at) for at in range(2)] == [pytest.approx(shares) for shares in ACCURACIES]
    found = dataset_overview(curve, 0.95)
    assert found is not None
    # The mean of the two classes, whatever the part of each.
    assert found.mean.tolist() == pytest.approx([0.625, 0.5875, 0.55, 0.425, 0.325])
    assert (found.worst_class, found.worst.tolist()) == (1, pytest.approx(ACCURACIES[1]))
    for severity, (right, images) in enumerate([(40, 80), (36, 80), (16, 40), (6, 20), (3, 10)]):
        assert found.worst_bounds[:, severity] == pytest.approx(wilson(right, images, 0.95))


def test_a_class_that_was_not_seen_at_a_severity_has_no_accuracy_there():
    known = jitter_curve(partly_seen())
    unseen = {"seen": [*SEEN[:3], [20, 0]], "lost": [*known.lost[:3], [16, 0]], "gained": [[0, 0]] * 4}
    curve = known.model_copy(update=unseen)
    assert class_accuracies(curve, 1) == [*map(pytest.approx, ACCURACIES[1][:4]), None]
    found = dataset_overview(curve, 0.95)
    assert found is not None
    assert (found.worst_class, found.mean.tolist()) == (0, pytest.approx(ACCURACIES[0]))
