"""The vocabulary that every room shares."""

from dataclasses import replace

from cuesense.registry import get
from cuesense.types import Condition, LazyFunction


def test_lazy_functions_import_when_called() -> None:
    assert LazyFunction("math:sqrt")(4.0) == 2.0


def test_a_condition_derives_its_value_from_its_severity() -> None:
    blur = replace(get("perturbations", "gaussian_blur"), ladder=(0.05, 0.2))
    found = [Condition(blur, severity) for severity in (0, *blur.severities)]
    assert [condition.value for condition in found] == [0.0, 0.05, 0.2]
    assert str(found[2]) == "gaussian_blur at severity 2 (sigma 0.2)"
    assert (Condition().value, Condition().name, str(Condition())) == (0.0, "clean", "clean")
    assert Condition(blur, 1) != Condition(blur, 1, repeat=1)
