"""What checkpoints, configurations and sidecars say about the images, in every shape that training scripts give it."""

from argparse import Namespace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.models.carried import NOTHING, Carried, carried

HALF = (0.5, 0.5, 0.5)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# What each of these programs writes beside its weights, cut down to what tells about images.
TIMM = {"img_size": None, "input_size": None, "crop_pct": None, "mean": None, "std": None, "model": "resnet18"}
FILES = {
    "timm with --img-size": (
        {"epoch": 3, "args": Namespace(**(TIMM | {"img_size": 64, "mean": list(HALF), "std": list(HALF)}))},
        Carried((64, 64), None, HALF, HALF, arch="timm:resnet18"),
    ),
    "timm with --input-size and --crop-pct": (
        {"args": TIMM | {"input_size": [3, 96, 128], "crop_pct": 0.9, "interpolation": "bicubic"}},
        Carried((96, 128), 106, interpolation="bicubic", arch="timm:resnet18"),
    ),
    "timm without": ({"args": Namespace(**TIMM)}, Carried(arch="timm:resnet18")),
    "torchvision's references": (
        {
            "args": SimpleNamespace(
                train_crop_size=176,
                val_crop_size=224,
                val_resize_size=232,
                interpolation="bilinear",
                model="resnet50",
                data_path="/data",
            )
        },
        Carried((224, 224), 232, interpolation="bilinear", arch="torchvision:resnet50"),
    ),
    "PyTorch's ImageNet example": ({"epoch": 9, "arch": "resnet18"}, Carried(arch="torchvision:resnet18")),
    "Lightning": (
        {
            "hyper_parameters": {
                "lr": 0.1,
                "image_size": 48,
                "mean": HALF,
                "std": HALF,
                "idx_to_class": {0: "a", 1: "b"},
            }
        },
        Carried((48, 48), None, HALF, HALF),
    ),
    "nested settings with Caffe's and Detectron's numbers": (
        {"cfg": {"data": {"input_size": "80, 96", "pixel_mean": [123.675, 116.28, 103.53], "pixel_std": [1, 1, 1]}}},
        Carried((80, 96), None, IMAGENET_MEAN, (round(1 / 255, 9),) * 3),
    ),
    "Hugging Face, ViT": (
        {"do_resize": True, "size": {"height": 64, "width": 64}, "image_mean": HALF, "image_std": HALF, "resample": 3},
        Carried((64, 64), 0, HALF, HALF, "bicubic"),
    ),
    "Hugging Face, an old ViT": ({"feature_extractor_type": "ViT", "size": 96}, Carried((96, 96), 0)),
    "Hugging Face, CLIP": (
        {
            "do_rescale": True,
            "size": {"shortest_edge": 72},
            "do_center_crop": True,
            "crop_size": {"height": 64, "width": 64},
        },
        Carried((64, 64), 72),
    ),
    "Hugging Face, ConvNeXt": (
        {"do_resize": True, "size": {"shortest_edge": 224}, "crop_pct": 0.875},
        Carried((224, 224), 256),
    ),
    "Hugging Face, a large ConvNeXt": (
        {"do_resize": True, "size": {"shortest_edge": 384}, "crop_pct": 0.875},
        Carried((384, 384), 0),
    ),
    "Hugging Face, MobileViT": (
        {"do_resize": True, "do_normalize": False, "size": {"shortest_edge": 64}, "do_flip_channel_order": True},
        Carried((64, 64), 64, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), channels="bgr"),
    ),
    "Hugging Face without rescaling": (
        {"do_resize": True, "do_normalize": False, "do_rescale": False},
        Carried(mean=(0.0, 0.0, 0.0), std=(1 / 255,) * 3),
    ),
    "timm's config.json": (
        {
            "architecture": "resnet18",
            "num_classes": 2,
            "label_names": ["a", "b"],
            "pretrained_cfg": {
                "input_size": [3, 64, 64],
                "crop_pct": 0.5,
                "mean": HALF,
                "std": HALF,
                "crop_mode": "center",
            },
        },
        Carried((64, 64), 128, HALF, HALF, arch="timm:resnet18"),
    ),
    "timm's squash": (
        {"pretrained_cfg": {"input_size": [3, 64, 64], "crop_mode": "squash", "crop_pct": 0.9}},
        Carried((64, 64), 0),
    ),
    "Ultralytics": (
        {"train_args": {"imgsz": 64, "task": "classify"}},
        Carried((64, 64), 64, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    ),
    "our own": (
        {"image_size": 64, "resize": 0, "mean": [0.0, 0, 0], "std": [1, 1, 1], "channels": "bgr", "arch": "timm:vit"},
        Carried((64, 64), 0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), arch="timm:vit", channels="bgr"),
    ),
    "a Keras file": ({"class_name": "Functional", "backend": "tensorflow"}, NOTHING),
    "nothing": ({}, NOTHING),
}


@pytest.mark.parametrize("name", FILES)
def test_each_program_s_settings_are_understood(name):
    about, wanted = FILES[name]
    found = carried(about)
    names = {"Lightning": ("a", "b"), "timm's config.json": ("a", "b")}.get(name)
    assert (None if found.class_names is None else found.class_names.names) == names
    assert [getattr(found, field) for field in vars(wanted) if field != "class_names"] == [
        getattr(wanted, field) for field in vars(wanted) if field != "class_names"
    ]


@pytest.mark.parametrize(
    "size", [0, -64, 4097, 64.5, "large", [64, 0], [3, 64, 64, 64], [], True, float("nan"), 10**400]
)
def test_what_is_no_size_is_ignored_and_said(size):
    found = carried({"args": {"img_size": size, "resolution": 48}})
    assert found.image_size == (48, 48)
    found = carried({"args": {"img_size": size}})
    assert found.image_size is None
    (said,) = found.ignored
    assert said.startswith("The weights' file says args.img_size = ")


@pytest.mark.parametrize("size", [1, 4096, "64", (64,), [3, 8, 8], [8, 8, 1], {"height": 8, "width": 9}])
def test_sizes_at_their_limits_and_in_all_shapes_are_taken(size):
    found = carried({"image_size": size})
    assert found.image_size is not None
    assert found.ignored == ()


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        ([300, 0, 0], [58, 57, 57]),
        ([-1, 0, 0], [1, 1, 1]),
        (HALF, [0, 1, 1]),
        (HALF, [0.5, 0.5]),
        ("black", "white"),
        (HALF, [600, 600, 600]),
        (HALF, [True, True, True]),
    ],
)
def test_what_is_no_normalization_is_ignored_and_said(mean, std):
    found = carried({"hparams": {"mean": mean, "std": std}})
    assert (found.mean, found.std) == (None, None)
    (said,) = found.ignored
    assert "hparams.mean" in said


def test_a_mean_alone_says_nothing():
    assert carried({"mean": 0.02, "lr": 0.1}) == NOTHING
    assert carried({"std": 0.02}) == NOTHING


@pytest.mark.parametrize(
    ("mean", "std", "wanted"),
    [
        (0.5, 0.25, (HALF, (0.25,) * 3)),
        ("0.5 0.5 0.5", "[0.25, 0.25, 0.25]", (HALF, (0.25,) * 3)),
        (127.5, 127.5, (HALF, HALF)),
        (0, 255, ((0.0,) * 3, (1.0,) * 3)),
        (1, 1, ((1.0,) * 3, (1.0,) * 3)),
        (1.02, 2, ((0.004,) * 3, (round(2 / 255, 9),) * 3)),
    ],
)
def test_one_number_stands_for_three_and_8_bit_values_are_divided(mean, std, wanted):
    found = carried({"mean": mean, "std": std})
    assert (found.mean, found.std) == wanted


@pytest.mark.parametrize(
    "names",
    [["a", "b"], {"0": "a", "1": "b"}, {0: "a", 1: "b"}, {"a": 0, "b": 1}, {"b": 1, "a": 0}, ("a", "b")],
)
def test_class_names_come_in_the_order_of_the_outputs(names):
    assert carried({"class_names": names}).class_names.names == ("a", "b")


@pytest.mark.parametrize(
    "names", [["a", "a"], ["a"], ["a", ""], {"a": 1, "b": 2}, {"0": "LABEL_0", "1": "LABEL_1"}, "a,b", 2, [0, 1]]
)
def test_what_are_no_class_names_is_ignored(names):
    assert carried({"class_names": names}).class_names is None


def test_deep_and_circular_settings_are_left_alone():
    about = {"image_size": None}
    about["config"] = about
    assert carried(about) == NOTHING
    deep = {"image_size": 64}
    for depth in range(5):
        assert (carried(deep).image_size is not None) == (depth <= 3)
        deep = {"config": deep}


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["args", "config", "image_size", "size", "mean", "std", "resize", "crop_pct", "names", "do_resize"]
            )
            | st.integers(0, 2),
            inner,
            max_size=6,
        )
    ),
)


@given(st.dictionaries(st.sampled_from(["args", "image_size", "mean", "std", "resize", "arch", "classes"]), plain))
def test_whatever_a_file_holds_what_is_taken_is_plausible(about):
    found = carried(about)
    assert found.image_size is None or all(1 <= side <= 4096 for side in found.image_size)
    assert found.resize is None or found.resize == 0 or found.resize >= max(found.image_size)
    assert found.mean is None or all(0 <= value <= 1 for value in found.mean)
    assert found.std is None or all(0 < value <= 2 for value in found.std)
    assert (found.mean is None) == (found.std is None)
