import pytest

from cuesense.policies.policy import Policy, uniform
from cuesense.reports.policy_text import describe

NAMES = ("tench", "lemon")


@pytest.mark.parametrize(
    ("policy", "shown"),
    [
        (uniform({}, NAMES, 0.8), "no augmentation"),
        (
            uniform({"random_resized_crop": 0.4, "random_rotation": 30.0}, NAMES, 0.8),
            "random resized crop to 0.4, random rotation to 30°",
        ),
    ],
)
def test_a_policy_for_all_classes_is_its_values(policy: Policy, shown: str):
    assert describe(policy) == shown


def test_a_policy_by_class_is_the_number_of_its_sets_of_values():
    by_class = Policy("per_class", 0.8, NAMES, (0, 1), ({"color_jitter": 0.1}, {"color_jitter": 0.2}))
    assert describe(by_class) == "2 sets of values, by class"
