"""From what a user names to a Classifier that is ready to run.

MODEL is a file or ``prefix:name``. A plug-in is one file and one line in the registry's table "models"; its function is

    load(name: str, state: State | None, class_names: ClassNames | None) -> Loaded

``name`` is what follows the prefix. Without a ``state`` (a mapping from keys to tensors) the plug-in returns its
network with the library's pretrained weights; with one it only builds the network, asks ``weights.fill`` to load the
state, and reads the number of classes from it. ``class_names`` are the outputs' names where the user gave them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cuesense.models.load import load_classifier, wrap_module

__all__ = ["load_classifier", "wrap_module"]


def __getattr__(name: str) -> Any:
    """Import the two entries when they are first asked for, so that the package itself does not import torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cuesense.models import load

    return getattr(load, name)
