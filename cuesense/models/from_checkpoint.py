"""Choose among the weights of a checkpoint those that an architecture has, and say which were taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import nn

from cuesense.errors import listed
from cuesense.models.checkpoint import Found, is_averaged, state_in
from cuesense.models.common import Loaded, State
from cuesense.models.weights import Fit, MisfitError, fit, fitting_prefixes

# A checkpoint has at most a few sets of weights; each costs an attempt of a second. Chosen by hand.
_MOST_TRIED = 8
_SHOWN = 3


def fitted(found: Found, load: Callable[[State], Loaded]) -> Loaded:
    """Return the network with the first weights of a checkpoint that fit it.

    Args:
        found: The weights in the file, in the order in which they are tried.
        load: Builds the network and fills it with a state dict, or raises MisfitError.

    Returns:
        The network, with what is beside the weights, where they lie, which others fit as well, and a sentence on it
        where there was a choice.

    Raises:
        MisfitError: None fits; the sentence is about the first.
    """
    first: MisfitError | None = None
    for key, weights in list(found.in_order.items())[:_MOST_TRIED]:
        state = state_in(weights)
        try:
            loaded = load(state)
        except MisfitError as error:
            first = first or error
            continue
        return _with_choice(loaded, found, key, state)
    raise first or MisfitError("Expected weights, but got none. Pass a file with weights.")


def as_module(found: Found, network: nn.Module, unlike: str | None = None) -> Loaded:
    """Return a module that was found in a checkpoint.

    Args:
        found: What was found.
        network: The module.
        unlike: The architecture that was given and that it is not.

    Returns:
        The module, with what is beside it, which other weights fit it, and a sentence on it where there was a choice.
    """
    while isinstance(network, nn.DataParallel):
        network = network.module
    name = type(network).__name__
    said = f"The file holds a whole network ({name}), which is not {unlike}: it was taken as it is."
    loaded = Loaded(network, name, warnings=() if unlike is None else (said,))
    return _with_choice(loaded, found, found.key, network.state_dict())


def _with_choice(loaded: Loaded, found: Found, key: str, state: State) -> Loaded:
    own = loaded.network.state_dict()
    prefixes = fitting_prefixes(own, state)
    prefix = prefixes[0] if prefixes else ""
    others = [_path(key, other) for other in prefixes[1:]]
    others += [
        other
        for other, weights in found.in_order.items()
        if other != key and _differs(own, state_in(weights), fit(own, state).state)
    ]
    taken = _path(key, prefix)
    said = _choice(taken, others) + _joined(fit(own, state)) + _left_out(own, state)
    return replace(
        loaded,
        about=found.about,
        # Of several, results must say which they are of.
        weights_key=taken if others or found.named else "",
        other_weights=tuple(others),
        warnings=loaded.warnings + said,
    )


def _path(key: str, prefix: str) -> str:
    return ".".join(part for part in (key, prefix.rstrip(".")) if part)


def _differs(own: State, other: State, taken: State) -> bool:
    """Return whether other weights fit the network too, and are not the same numbers once more."""
    found = fit(own, other)
    same = found.state.keys() == taken.keys() and all(found.state[key].equal(taken[key]) for key in taken)
    return not found.differences and not same


def _choice(taken: str, others: list[str]) -> tuple[str, ...]:
    kind = "averaged weights (EMA)" if is_averaged(taken) else "weights"
    if not others:
        return (f"The {kind} under '{taken}' were taken.",) if is_averaged(taken) else ()
    shown = listed([f"'{other}'" for other in others], _SHOWN)
    fits = "fits" if len(others) == 1 else "fit"
    where = f"under '{taken}'" if taken else "on the file's top level"
    return (f"The {kind} {where} were taken; {shown} {fits} too: --weights-key takes another.",)


def _joined(found: Fit) -> tuple[str, ...]:
    """Return where the rest of a network was taken from, if it did not lie where most of it did."""
    if not found.elsewhere or found.differences:
        return ()
    where = f"under '{found.prefix.rstrip('.')}'" if found.prefix else "on the file's top level"
    shown = listed(list(found.elsewhere), _SHOWN)
    return (f"Most of the network's weights lie {where}; for the rest of it, {shown} were taken.",)


def _left_out(own: State, state: State) -> tuple[str, ...]:
    """Return what stays outside of the network, where that is more than numbers such as a loss."""
    found = fit(own, state)
    beside = [key for key in found.beside if key in state and state[key].dim()] if not found.differences else []
    if not beside or not found.prefix:
        return ()
    others = fitting_prefixes(own, state)[1:]
    beside = [key for key in beside if not key.startswith(tuple(others) or ("\0",))]
    shown = listed(beside, _SHOWN)
    tensors = "tensor beside them was" if len(beside) == 1 else "tensors beside them were"
    where = found.prefix.rstrip(".")
    return (f"The weights under '{where}' were taken; {len(beside)} {tensors} left out: {shown}.",) if beside else ()
