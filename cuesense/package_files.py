"""Find the data files of the package: inside it when installed from a wheel, beside it in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """Return the folder ``configs`` or ``assets``.

    Args:
        name: ``"configs"`` or ``"assets"``.

    Returns:
        The folder inside an installed package, else the one in the checkout.
    """
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
