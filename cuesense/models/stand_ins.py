"""Stand-ins for the objects of classes that are not loaded: they keep what a file gives an object, and do nothing.

Checkpoints hold options, histories and callbacks beside the weights, as objects of a hundred libraries. None of these
is imported: an object becomes a record of its class's name and of its content.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from torch import Tensor

from cuesense.models.common import State
from cuesense.models.pickle_machine import Built, Maker, RefusedPickleError

# Above the modules of any network, and far below what a file can announce by naming one module twice in each of many.
# Chosen by hand.
_MOST_MODULES = 100_000
_DEEPEST_MODULE = 100
_TENSORS_AND_MODULES = ("_parameters", "_buffers", "_modules")
# Attributes of a module hold functions at most so deep, such as in a dictionary of hooks. Chosen by hand.
_DEEPEST_ATTRIBUTE = 3
# Functions by which pickles make objects of the class in their first argument.
_MAKE_OBJECTS = ("copyreg._reconstructor", "copy_reg._reconstructor", "copyreg.__newobj__", "copy_reg.__newobj__")
# Attributes in which classes of options keep their values: OmegaConf's containers and nodes, Box and ml_collections.
_HOLDS = ("_content", "_val", "_box_config", "_fields")


class StandIn(Built):
    """An object of a class that is not loaded, or the result of a function that is not called.

    Attributes:
        name: Dotted name of the class or function.
        arguments: What the file calls it with.
        state: The attributes that the file gives it, or whatever else it gives.
    """

    __slots__ = ("_entries", "_items", "arguments", "name", "state")

    def __init__(self, name: str, arguments: tuple[Any, ...] = ()) -> None:
        made_of = arguments[0] if name in _MAKE_OBJECTS and arguments else None
        self.name = made_of.name if isinstance(made_of, Maker) else name
        self.arguments = arguments
        self.state: Any = None
        self._entries: dict[Any, Any] | None = None
        self._items: list[Any] | None = None

    def build(self, state: Any) -> None:
        """Take the attributes, which come as a dictionary, or as a pair of one and the values of slots."""
        self.state = state

    def __setstate__(self, state: Any) -> None:
        """Do the same where torch's reader makes the object."""
        self.build(state)

    def call(self, arguments: tuple[Any, ...]) -> StandIn:
        """Return a stand-in for the result of calling it."""
        return StandIn(self.name, arguments)

    def set_items(self, entries: dict[Any, Any]) -> None:
        """Take what a class of dictionaries holds."""
        self._entries = entries if self._entries is None else self._entries
        self._entries.update(entries)

    def extend(self, items: list[Any]) -> None:
        """Take what a class of lists or sets holds."""
        self._items = [] if self._items is None else self._items
        self._items.extend(items)

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes by name; none where the file gives something else."""
        parts = self.state if type(self.state) is tuple else (self.state,)
        return {name: value for part in parts if isinstance(part, dict) for name, value in part.items()}

    @property
    def is_module(self) -> bool:
        """Whether it stands for a torch.nn.Module."""
        attributes = self.attributes
        return all(isinstance(attributes.get(name), dict) for name in _TENSORS_AND_MODULES)

    @property
    def content(self) -> Any:
        """What it holds, as far as it resembles plain data: a dictionary, a list or a single value."""
        attributes = self.attributes
        held = next((attributes[name] for name in _HOLDS if name in attributes), None)
        if held is not None:
            return held
        if self._entries or self._items:
            return self._entries or self._items
        if attributes:
            return attributes
        # An enumeration's value, a Decimal's text.
        return self.arguments[0] if len(self.arguments) == 1 else None


def class_for_torch(name: str) -> type:
    """Return a class whose objects are stand-ins for a dotted name, for torch's own reader."""
    return type("Named", (), {"__new__": lambda _, *arguments: StandIn(name, arguments)})


def modules_in(root: StandIn) -> Iterator[tuple[str, StandIn]]:
    """Yield a module's stand-in and those inside, each with the prefix of its keys in the state dict.

    Args:
        root: The outermost module.

    Raises:
        RefusedPickleError: The modules are nested without end, or too many.
    """
    waiting = [("", root, 0)]
    count = 0
    while waiting:
        prefix, module, depth = waiting.pop()
        yield prefix, module
        count += 1
        if count > _MOST_MODULES or depth > _DEEPEST_MODULE:
            raise RefusedPickleError("modules nested without end")
        inner = module.attributes["_modules"].items()
        inside = [(f"{prefix}{key}.", value, depth + 1) for key, value in inner if _is_module(value)]
        waiting.extend(reversed(inside))


def state_of(root: StandIn) -> State:
    """Return the state dict of a module's stand-in, as ``Module.state_dict`` would.

    Args:
        root: The module.
    """
    found: dict[str, Tensor] = {}
    for prefix, module in modules_in(root):
        attributes = module.attributes
        passing = attributes.get("_non_persistent_buffers_set", ())
        kept = {name: value for name, value in attributes["_buffers"].items() if name not in passing}
        tensors = {**attributes["_parameters"], **kept}
        found |= {f"{prefix}{name}": value for name, value in tensors.items() if isinstance(value, Tensor)}
    return found


def uses_only(root: StandIn, known: Container[str]) -> bool:
    """Return whether a module and all that it is made of are of known classes, so that torch can make it.

    Args:
        root: The module.
        known: The dotted names of these classes.
    """
    for _, module in modules_in(root):
        others = [value for key, value in module.attributes.items() if key not in _TENSORS_AND_MODULES]
        if module.name not in known or not all(_is_known(value, known, 0) for value in others):
            return False
    return True


def _is_known(value: Any, known: Container[str], depth: int) -> bool:
    if isinstance(value, StandIn):
        if value.name not in known:
            return False
        value = [value.arguments, value.state]
    if isinstance(value, Maker):
        return value.name in known
    if depth > _DEEPEST_ATTRIBUTE or not isinstance(value, (dict, list, tuple, set)):
        return True
    inner = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    return all(_is_known(item, known, depth + 1) for item in inner)


def _is_module(value: object) -> bool:
    return isinstance(value, StandIn) and value.is_module
