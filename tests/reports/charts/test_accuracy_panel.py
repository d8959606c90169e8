import re
from xml.etree import ElementTree

import numpy as np

from cuesense.reports.charts.accuracy_panel import accuracy_panel
from cuesense.reports.charts.curve_accuracies import dataset_overview
from tests.helpers import profiles


def test_the_panel_draws_accuracy_upwards_and_severities_rightwards():
    profile = profiles.profile(12, seed=2)
    numbers = dataset_overview(profile.curves[0], 0.95)
    assert numbers is not None
    drawing = ElementTree.fromstring(accuracy_panel(numbers, ["a", "b", "c", "d"], 'with "quotes" <b>'))
    circles = [part for part in drawing if part.tag == "circle"]
    x = np.array([float(part.get("cx", "")) for part in circles])
    y = np.array([float(part.get("cy", "")) for part in circles])
    assert len(circles) == 5
    assert (np.diff(x) > 0).all()
    np.testing.assert_allclose(y, 8 + 100 * (1 - numbers.worst), atol=0.051)
    ticks = [part.text for part in drawing if part.get("text-anchor") == "middle"]
    assert ticks == ["clean", "a", "b", "c", "d"]
    assert drawing.get("aria-label") == 'with "quotes" <b>'


def test_the_band_encloses_the_middle_classes():
    profile = profiles.profile(12, seed=2)
    numbers = dataset_overview(profile.curves[4], 0.95)
    assert numbers is not None
    drawing = ElementTree.fromstring(accuracy_panel(numbers, ["2", "3", "4", "6", "8"], ""))
    path = next(part for part in drawing if part.get("class") == "band").get("d", "")
    y = np.array([float(pair.split()[1]) for pair in re.findall(r"[\d.]+ [\d.]+", path)])
    shares = 1 - (y - 8) / 100
    np.testing.assert_allclose(shares[:6], numbers.spread[1], atol=0.001)
    np.testing.assert_allclose(shares[6:], numbers.spread[0][::-1], atol=0.001)


def test_only_perturbed_accuracies_have_a_whisker_from_bound_to_bound():
    numbers = dataset_overview(profiles.profile(12, seed=2).curves[0], 0.95)
    assert numbers is not None
    drawing = ElementTree.fromstring(accuracy_panel(numbers, ["a", "b", "c", "d"], ""))
    whiskers = [part.get("d", "") for part in drawing if part.get("class") == "whisker"]
    heights = [re.match(r"M[\d.]+ ([\d.]+)V([\d.]+)$", path).groups() for path in whiskers]
    ends = [[1 - (float(y) - 8) / 100 for y in pair] for pair in heights]
    assert len(ends) == 4
    np.testing.assert_allclose(ends, numbers.worst_bounds[:, 1:].T, atol=0.001)
