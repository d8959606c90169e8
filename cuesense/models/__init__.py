"""From what a user names to a Classifier that is ready to run.

MODEL is a file or ``prefix:name``. A plug-in is one file and one line in the registry's table "models"; its function is

    load(name: str, state: State | None, class_names: ClassNames | None) -> Loaded

``name`` is what follows the prefix. Without a ``state`` (a mapping from keys to tensors) the plug-in returns its
network with the library's pretrained weights; with one it only builds the network, calls ``weights.fill`` to load the
state, and reads the number of classes from it. ``class_names`` are the outputs' names where the user gave them.

May import the top-level modules only.
"""
