"""The vocabulary that every room shares."""

from cuesense.types import Condition, LazyFunction


def test_lazy_functions_import_when_called() -> None:
    assert LazyFunction("math:sqrt")(4.0) == 2.0


def test_the_key_of_the_clean_condition() -> None:
    assert Condition().key == "clean"
