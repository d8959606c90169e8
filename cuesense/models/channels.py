"""The order in which a network takes the color channels."""

from torch import nn

from cuesense.models.adapted import Bgr


def in_order(network: nn.Module, channels: str) -> nn.Module:
    """Return a module that takes RGB images, for a network of any order of the channels.

    Args:
        network: The network, or such a module around it.
        channels: ``"rgb"`` or ``"bgr"``: the order in which the network itself takes them.

    Returns:
        The network, its weights as they are, with or without a module around it that turns the channels around.
    """
    bare = network.network if isinstance(network, Bgr) else network
    if channels == "rgb":
        return bare
    turned = Bgr(bare)
    turned.training = bare.training
    return turned
