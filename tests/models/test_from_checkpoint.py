"""What is said of the weights that were taken from a checkpoint."""

from __future__ import annotations

import copy

import torch
from torch import nn

from cuesense.models.checkpoint import Found
from cuesense.models.common import Loaded
from cuesense.models.from_checkpoint import fitted
from cuesense.models.weights import fill


def test_where_a_network_was_joined_from_is_said(tiny: nn.Module) -> None:
    state = tiny.state_dict()
    parts = {key if key.startswith("6.") else f"backbone.{key}": value for key, value in state.items()}
    emptied = copy.deepcopy(tiny)
    nn.init.zeros_(emptied[6].weight)
    found = fitted(Found(parts), lambda given: Loaded(fill(emptied, given, "python:tiny"), "tiny"))
    assert torch.equal(found.network.state_dict()["6.weight"], state["6.weight"])
    assert found.warnings == (
        "Most of the network's weights lie under 'backbone'; for the rest of it, 6.weight, 6.bias were taken.",
    )
    whole = fitted(Found(state), lambda given: Loaded(fill(emptied, given, "python:tiny"), "tiny"))
    assert whole.warnings == ()
