"""Devices: auto is a GPU where there is one, and what torch cannot use here is refused in a sentence."""

import os

import pytest
import torch

from cuesense.errors import SettingsError
from cuesense.inference.devices import cores, device_of, gpus


@pytest.mark.parametrize(("gpu", "found"), [(True, "cuda"), (False, "cpu")])
def test_auto_is_a_gpu_where_there_is_one(gpu: bool, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert device_of("auto") == found
    assert device_of("cpu") == "cpu"


@pytest.mark.parametrize("device", ["cpu", "cpu:0", torch.device("cpu"), torch.device("cpu", 0)])
def test_a_device_stays_the_one_that_was_named(device: str | torch.device) -> None:
    found = device_of(device)
    assert type(found) is str
    assert torch.device(found) == torch.device(device)


# meta holds no numbers, and the last two are no device at all.
@pytest.mark.parametrize("device", ["meta", "cuda:99", "warp", "", "cpu:x"])
def test_what_cannot_compute_here_is_refused(device: str) -> None:
    with pytest.raises(SettingsError) as caught:
        device_of(device)
    other = "" if device.startswith("cuda") else ", or cuda for a GPU"
    assert caught.value.for_command_line == (
        f"Expected --device to be auto, cpu or a device torch can use here, but got '{device}'. "
        f"Try --device cpu{other}."
    )
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("error", [RuntimeError, AssertionError, NotImplementedError])
def test_whatever_torch_raises_for_a_device_is_the_same_sentence(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error("driver\ntrace")

    monkeypatch.setattr(torch, "empty", fails)
    with pytest.raises(SettingsError, match=r"but got 'cuda'\. Try"):
        device_of("cuda")


def test_cores_and_gpus_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert cores() == 7
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert gpus() == 2
