"""The vocabulary that every room shares."""

from cuesense.types import LazyFunction


def test_lazy_functions_import_when_called() -> None:
    assert LazyFunction("math:sqrt")(4.0) == 2.0
