"""The order in which a network takes the color channels."""

from typing import Any

from torch import nn

from cuesense.models.adapted import Bgr


def in_order(network: Any, channels: str) -> Any:
    """Return a module that takes RGB images, for a network of any order of the channels.

    Args:
        network: The network, or such a module around it.
        channels: ``"rgb"`` or ``"bgr"``: the order in which the network itself takes them.

    Returns:
        The network, its weights as they are, with or without a module around it that turns the channels around.
    """
    bare: Any = network.network if isinstance(network, Bgr) else network
    if channels == "rgb":
        return bare
    turned = Bgr(bare)
    turned.training = isinstance(bare, nn.Module) and bare.training
    return turned
