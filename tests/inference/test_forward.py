"""What is said where a network fails on a batch, or has another number of outputs than there are classes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cuesense.errors import ModelError
from cuesense.inference.forward import check_count, forward
from cuesense.inference.options import RunOptions

CPU = RunOptions(device="cpu")


def failure(network: nn.Module) -> str:
    with pytest.raises(ModelError) as caught:
        forward(network, torch.rand(2, 3, 8, 8), CPU)
    return str(caught.value)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_torchscript_fails_with_the_reason_of_torch_as_the_module_itself_does() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten()).eval()
    reason = "Given groups=1, weight of size [4, 1, 3, 3], expected input[2, 3, 8, 8] to have 1 channels"
    scripted = failure(torch.jit.script(network))
    assert reason in scripted
    assert reason in failure(network)
    assert "interpreter" not in scripted
    assert "\n" not in scripted


def test_the_first_line_of_any_other_error_is_shown() -> None:
    class Failing(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            assert images.ndim == 4
            raise ValueError("no such side.\nmore\n")

    assert ": no such side. Check" in failure(Failing())


def test_a_network_of_one_output_is_told_apart_from_one_of_a_wrong_number() -> None:
    with pytest.raises(ModelError) as caught:
        check_count(1, 2)
    assert str(caught.value) == (
        "Expected the number of the model's outputs to be 2, one for each class, but got one. "
        "Wrap it to return 2 logits, such as [-z, z] for one z between two classes."
    )
    with pytest.raises(ModelError, match=r"class.names"):
        check_count(3, 2)
    check_count(1, 1)
    check_count(2, 2)
