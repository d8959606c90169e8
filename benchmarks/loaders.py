"""Compare predictions through cuesense with those of the library that a model comes from, for every loader.

    PYTHONPATH=. python benchmarks/loaders.py
    PYTHONPATH=. python benchmarks/loaders.py --part hf
    PYTHONPATH=. python benchmarks/loaders.py --part photos --photos imagenet-val --weights weights

The same image files go through ``cuesense`` (its loader, its resizing, its engine) and through the library's own
transform and network. Networks have random weights and a last layer that is fitted to the images' classes, so that
their outputs are separated: nearly tied ones differ by rounding. With ``--photos`` (a folder of ImageNet's synset
folders) and ``--weights`` (a folder with squeezenet1_0.state_dict.pt and mobilenet_v2_tf.state_dict.pt,
.torchscript.pt and .pt2) trained networks are compared on photographs, too. Needs the extras hf, onnx and open_clip.
The table is kept in benchmarks/results/loaders.csv; what is measured replaces its rows of the same cases.
"""

from __future__ import annotations

import argparse
import csv
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from cuesense.datasets.classes import read_class_names
from cuesense.datasets.load import load_dataset
from cuesense.imagenet_names import imagenet_synsets
from cuesense.inference.engine import predict
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import probe
from cuesense.models.load import load_classifier
from cuesense.models.preprocessing import AS_CARRIED, ImageOptions
from cuesense.predictions.shards import OutcomeStore
from cuesense.types import ClassNames, Condition

RESULTS = Path(__file__).parent / "results" / "loaders.csv"
CLASSES = 8
# Images that the last layers are fitted on, how much their weights are shrunk, images that are run at once. Chosen by
# hand.
FITTED, RIDGE, BATCH = 160, 1e-3, 20
NAMES = ("ant", "bird", "car", "dog", "egg", "fox", "goat", "hat")


@dataclass(frozen=True)
class Case:
    """One model and how its own library predicts an image.

    Attributes:
        name: The loader and the model.
        spec: What is given as MODEL.
        transform: The library's own preparation of a PIL image, giving one input of the network.
        network: The library's own network, giving logits.
        more: Further arguments of ``load_classifier``.
    """

    name: str
    spec: str
    transform: Callable[[Image.Image], Any]
    network: Callable[[Any], Tensor]
    more: dict[str, Any] = field(default_factory=dict)


def planted(folder: Path, count: int) -> Path:
    """Write images of many sizes whose color and stripes tell their class, as PNG files in class folders."""
    random = np.random.default_rng(0)
    colors = random.uniform(60, 200, (CLASSES, 3))
    for number in range(count):
        label = number % CLASSES
        height, width = random.integers(180, 420, 2)
        rows, columns = np.mgrid[:height, :width]
        stripes = 30 * np.sin((rows + columns * (label % 3)) / (2 + label))
        noise = np.asarray(
            Image.fromarray(random.integers(0, 90, (12, 12, 3), dtype=np.uint8)).resize((width, height), 3)
        )
        pixels = colors[label] + stripes[..., None] + noise - 45 + random.uniform(-20, 20, 3)
        place = folder / NAMES[label] / f"{number:04d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(place)
    return folder


def fitted(network: nn.Module, transform: Callable[[Image.Image], Any], images: list[tuple[Path, int]]) -> nn.Module:
    """Fit a network's last linear layer to the classes of some images by ridge regression, and return the network."""
    head = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    seen: list[Tensor] = []
    handle = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].flatten(1)))
    inputs = list(batches([path for path, _ in images[:FITTED]], transform))
    # Batch statistics of these images: features of an untrained network would hardly differ between images otherwise.
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
            module.momentum = None
    network.train()
    with torch.no_grad():
        network(torch.cat(inputs[:2]))
    network.eval()
    seen.clear()
    with torch.inference_mode():
        for batch in inputs:
            network(batch)
    handle.remove()
    features = torch.cat(seen).double()
    wanted = torch.eye(CLASSES)[[label for _, label in images[:FITTED]]].double() - 1 / CLASSES
    center = features.mean(0)
    centered = features - center
    scale = centered.pow(2).sum() / len(centered)
    gram = centered.T @ centered + RIDGE * scale * torch.eye(centered.shape[1])
    weight = torch.linalg.solve(gram, centered.T @ wanted).T
    with torch.no_grad():
        head.weight.copy_(10 * weight)
        if head.bias is not None:
            head.bias.copy_(-10 * weight @ center)
    return network.requires_grad_(False)


def batches(paths: list[Path], transform: Callable[[Image.Image], Any]) -> Iterator[Tensor]:
    """Yield images as the library prepares each of them, several at once."""
    for start in range(0, len(paths), BATCH):
        yield torch.stack([transform(Image.open(path).convert("RGB")) for path in paths[start : start + BATCH]])


def torchvision_cases(folder: Path, images: list[tuple[Path, int]]) -> Iterator[Case]:
    """Yield a state dict in torchvision's architecture, with the transform of its weights."""
    from torchvision.models import MobileNet_V3_Small_Weights, mobilenet_v3_small

    transform = MobileNet_V3_Small_Weights.DEFAULT.transforms()
    network = fitted(mobilenet_v3_small(num_classes=CLASSES), transform, images)
    path = folder / "torchvision.pt"
    torch.save(network.state_dict(), path)
    given = ImageOptions(image_size=224, resize=256, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    yield Case(
        "state dict, torchvision:mobilenet_v3_small",
        str(path),
        transform,
        network,
        {"arch": "torchvision:mobilenet_v3_small", "images": given},
    )


def timm_cases(folder: Path, images: list[tuple[Path, int]]) -> Iterator[Case]:
    """Yield timm's folders in the hub's layout, with its create_transform; one at another image size."""
    import timm

    for name in ("mobilenetv3_small_050", "test_vit", "resnet10t"):
        network: Any = timm.create_model(name, num_classes=CLASSES)
        transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network))
        fitted(network, transform, images)
        place = folder / f"timm-{name}"
        timm.models.save_for_hf(network, place, model_config={"label_names": list(NAMES)}, safe_serialization=True)
        yield Case(f"timm:local-dir, {name}", f"timm:local-dir:{place}", transform, network)
    network = timm.create_model("test_vit", num_classes=CLASSES, img_size=96)
    config = timm.data.resolve_model_data_config(network) | {"input_size": (3, 96, 96)}
    transform = timm.data.create_transform(**config)
    fitted(network, transform, images)
    path = folder / "timm96.pt"
    torch.save(network.state_dict(), path)
    resize = round(96 / config["crop_pct"])
    given = ImageOptions(image_size=96, resize=resize, mean=tuple(config["mean"]), std=tuple(config["std"]))
    more = {"arch": "timm:test_vit", "images": given}
    yield Case("state dict, timm:test_vit at 96 pixels", str(path), transform, network, more)


def hf_cases(folder: Path, images: list[tuple[Path, int]]) -> Iterator[Case]:
    """Yield folders of transformers with the image processors that their families have."""
    import transformers as hf

    small = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
    made = {
        "ViT": (hf.ViTConfig(patch_size=32, **small), hf.ViTForImageClassification, hf.ViTImageProcessor()),
        "DeiT": (
            hf.DeiTConfig(patch_size=32, **small),
            hf.DeiTForImageClassification,
            hf.DeiTImageProcessor(size={"shortest_edge": 256}),
        ),
        "ConvNext": (
            hf.ConvNextConfig(depths=[1, 1, 1, 1], hidden_sizes=[8, 12, 16, 24]),
            hf.ConvNextForImageClassification,
            hf.ConvNextImageProcessor(size={"shortest_edge": 224}, crop_pct=0.875),
        ),
        "ResNet": (
            hf.ResNetConfig(depths=[1, 1], hidden_sizes=[16, 24], embedding_size=8, layer_type="basic"),
            hf.ResNetForImageClassification,
            hf.ConvNextImageProcessor(size={"shortest_edge": 384}),
        ),
        "MobileNetV2": (
            hf.MobileNetV2Config(depth_multiplier=0.35),
            hf.MobileNetV2ForImageClassification,
            hf.MobileNetV2ImageProcessor(),
        ),
        "MobileViT": (
            hf.MobileViTConfig(hidden_sizes=[16, 24, 32], neck_hidden_sizes=[8, 8, 12, 16, 24, 32, 48], image_size=256),
            hf.MobileViTForImageClassification,
            hf.MobileViTImageProcessor(size={"shortest_edge": 288}),
        ),
        "Swin": (
            hf.SwinConfig(embed_dim=12, depths=[1, 1, 1], num_heads=[1, 2, 2]),
            hf.SwinForImageClassification,
            hf.ViTImageProcessor(resample=3),
        ),
        "BEiT": (hf.BeitConfig(patch_size=32, **small), hf.BeitForImageClassification, hf.BeitImageProcessor()),
        "EfficientNet": (
            # The usual 0.02 gives a network of random weights values so small that none are left behind 25 layers.
            hf.EfficientNetConfig(
                width_coefficient=0.3, depth_coefficient=0.3, image_size=160, hidden_dim=384, initializer_range=0.2
            ),
            hf.EfficientNetForImageClassification,
            hf.EfficientNetImageProcessor(size={"height": 160, "width": 160}),
        ),
        "LeViT": (
            hf.LevitConfig(hidden_sizes=[32, 48, 64], depths=[1, 1, 1], key_dim=[8, 8, 8]),
            hf.LevitForImageClassification,
            hf.LevitImageProcessor(),
        ),
        "ConvNext, crop of 0.7": (
            hf.ConvNextConfig(depths=[1, 1, 1, 1], hidden_sizes=[8, 12, 16, 24]),
            hf.ConvNextForImageClassification,
            hf.ConvNextImageProcessor(size={"shortest_edge": 161}, crop_pct=0.7),
        ),
        "ViT, Lanczos and values from -1 to 1": (
            hf.ViTConfig(patch_size=32, **small),
            hf.ViTForImageClassification,
            hf.ViTImageProcessor(resample=1, rescale_factor=1 / 127.5, image_mean=[1] * 3, image_std=[1] * 3),
        ),
        "ViT, no crop, values from 0 to 255": (
            hf.ViTConfig(patch_size=16, image_size=112, **small),
            hf.ViTForImageClassification,
            hf.ViTImageProcessor(size={"height": 112, "width": 112}, do_rescale=False, do_normalize=False),
        ),
    }
    for name, (config, kind, own) in made.items():
        torch.manual_seed(0)
        processor: Any = own
        config.id2label = dict(enumerate(NAMES))
        config.label2id = {label: number for number, label in enumerate(NAMES)}
        model = kind(config).eval()

        def transform(image: Image.Image, processor: Any = processor) -> Tensor:
            return processor(image, return_tensors="pt")["pixel_values"][0]

        network = Logits(model)
        fitted(network, transform, images)
        place = folder / f"hf-{name}"
        model.save_pretrained(place)
        processor.save_pretrained(place)
        yield Case(f"hf folder, {name}", str(place), transform, network)


class Logits(nn.Module):
    """A classifier of transformers that gives its logits alone."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Map images to logits."""
        return self.model(images).logits


def open_clip_cases(folder: Path, images: list[tuple[Path, int]]) -> Iterator[Case]:
    """Yield a contrastive network whose images are projected onto the texts of their classes, as a file of weights."""
    import open_clip

    name = "ViT-S-32"
    clip, _, transform = open_clip.create_model_and_transforms(name)
    clip.eval()
    tokens = open_clip.get_tokenizer(name)
    with torch.inference_mode():
        texts = open_clip.build_zero_shot_classifier(clip, tokens, NAMES, open_clip.SIMPLE_IMAGENET_TEMPLATES).T
        # Texts of a random network are alike: what differs is taken, and where images lie is made of it.
        apart = nn.functional.normalize(texts - texts.mean(0), dim=1)
        size = clip.visual.proj.shape
        clip.visual.proj.data = torch.eye(*size)
        features = torch.cat(
            [clip.encode_image(transform(Image.open(path).convert("RGB"))[None]) for path, _ in images[:FITTED]]
        ).double()
        features = features[:, : size[0]]
        wanted = apart[[label for _, label in images[:FITTED]]].double()
        ridge = RIDGE * features.pow(2).sum() / len(features) * torch.eye(features.shape[1])
        clip.visual.proj.data = torch.linalg.solve(features.T @ features + ridge, features.T @ wanted).float()
    path = folder / "clip.pt"
    torch.save(clip.state_dict(), path)

    def network(batch: Tensor) -> Tensor:
        return clip.encode_image(batch, normalize=True) @ texts.T

    more = {"arch": f"open_clip:{name}"}
    yield Case(f"open_clip:{name}, weights in a file", str(path), transform, network, more)


def exported_cases(folder: Path, images: list[tuple[Path, int]]) -> Iterator[Case]:
    """Yield one network as ONNX (by hand with onnxruntime), TorchScript, torch.export and a pickled state dict."""
    import onnxruntime
    from torchvision.models import squeezenet1_1
    from torchvision.transforms import v2

    transform = v2.Compose(
        [
            v2.Resize(146),
            v2.CenterCrop(128),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.5] * 3, [0.25] * 3),
        ]
    )
    given = {"images": ImageOptions(image_size=128, resize=146, mean=(0.5,) * 3, std=(0.25,) * 3)}
    body = squeezenet1_1().features
    network = fitted(
        nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, CLASSES)), transform, images
    )
    example = torch.rand(2, 3, 128, 128)
    path = folder / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (example,), str(path), dynamic_axes={"x": {0: "n"}}, input_names=["x"], dynamo=False)
        torch.jit.save(torch.jit.trace(network, example), str(folder / "net.ts"))
        torch.export.save(
            torch.export.export(network, (example,), dynamic_shapes=({0: torch.export.Dim("n", min=1, max=256)},)),
            folder / "net.pt2",
        )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def by_hand(batch: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {"x": batch.numpy()})[0])

    yield Case("ONNX file", str(path), transform, by_hand, given)
    yield Case("TorchScript", str(folder / "net.ts"), transform, network, given)
    yield Case("torch.export", str(folder / "net.pt2"), transform, network, given)


def trained_cases(folder: Path, weights: Path) -> Iterator[Case]:
    """Yield networks trained on ImageNet, whose outputs nothing names, with plain torchvision transforms."""
    from torchvision.models import squeezenet1_0
    from torchvision.transforms import v2

    names = {"class_names": read_class_names("imagenet")}

    def transform(resize: int, crop: int, mean: list[float], std: list[float]) -> Callable[[Image.Image], Tensor]:
        steps = [v2.Resize(resize), v2.CenterCrop(crop), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True)]
        return v2.Compose([*steps, v2.Normalize(mean, std)])

    import onnxruntime

    mean = [123 / 255, 117 / 255, 104 / 255]
    squeezenet = squeezenet1_0()
    squeezenet.load_state_dict(torch.load(weights / "squeezenet1_0.state_dict.pt", weights_only=True))
    images = ImageOptions(image_size=227, resize=256, mean=tuple(mean), std=(1.0,) * 3)
    own = transform(256, 227, mean, [1.0] * 3)
    yield Case(
        "trained SqueezeNet, torchvision",
        str(weights / "squeezenet1_0.state_dict.pt"),
        own,
        squeezenet.eval(),
        {"arch": "torchvision:squeezenet1_0", "images": images} | names,
    )
    path = str(folder / "squeezenet.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            squeezenet,
            (torch.rand(2, 3, 227, 227),),
            path,
            dynamic_axes={"x": {0: "n"}},
            input_names=["x"],
            dynamo=False,
        )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    yield Case(
        "trained SqueezeNet, ONNX",
        path,
        own,
        lambda batch: torch.from_numpy(session.run(None, {"x": batch.numpy()})[0]),
        {"images": images} | names,
    )
    script = weights / "mobilenet_v2_tf.torchscript.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = torch.jit.load(str(script)).eval()
    given = {"images": ImageOptions(image_size=224, resize=256, mean=(0.5,) * 3, std=(0.5,) * 3)} | names
    own = transform(256, 224, [0.5] * 3, [0.5] * 3)
    yield Case("trained MobileNetV2, TorchScript", str(script), own, network, given)
    yield Case("trained MobileNetV2, torch.export", str(weights / "mobilenet_v2_tf.pt2"), own, network, given)
    yield _trained_timm(folder, weights / "mobilenet_v2_tf.state_dict.pt", names)


def _trained_timm(folder: Path, weights: Path, more: dict[str, Any]) -> Case:
    """Return the trained MobileNetV2 as a folder of timm's: its layers are torchvision's in the same order."""
    import timm

    arguments = {"pad_type": "same"}
    network: Any = timm.create_model("mobilenetv2_100", **arguments)
    values = list(torch.load(weights, weights_only=True).values())
    network.load_state_dict(dict(zip(network.state_dict(), values, strict=True)))
    config: dict[str, Any] = {"mean": [0.5] * 3, "std": [0.5] * 3, "crop_pct": 0.875, "interpolation": "bilinear"}
    network.pretrained_cfg = network.pretrained_cfg | config
    network.default_cfg = network.pretrained_cfg
    place = folder / "timm-trained"
    timm.models.save_for_hf(network, place, model_args=arguments, safe_serialization=True)
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network))
    return Case("trained MobileNetV2, timm:local-dir", f"timm:local-dir:{place}", transform, network.eval(), more)


def compared(case: Case, folder: Path, images: list[tuple[Path, int]]) -> dict[str, Any]:
    """Return the share of images whose predicted output is the same, and both accuracies."""
    dataset = load_dataset(str(folder))
    zero_shot = case.more.get("arch", "").startswith("open_clip")
    more = {"images": AS_CARRIED} | case.more | ({"class_names": ClassNames(NAMES)} if zero_shot else {})
    classifier = load_classifier(case.spec, **more)
    run = RunOptions()
    classifier = probe(classifier, dataset, run).applied(classifier)
    store = OutcomeStore()
    outcomes = predict(classifier, dataset, tuple(range(len(dataset.class_names))), [Condition()], store, run)
    ours = next(outcomes.conditions([0])).predicted
    with torch.inference_mode():
        logits = torch.cat([case.network(batch) for batch in batches([path for path, _ in images], case.transform)])
    theirs = logits.argmax(1).numpy()
    labels = np.array([label for _, label in images])
    best = logits.float().topk(2, dim=1).values
    margins = (best[:, 0] - best[:, 1]).numpy()
    other = margins[ours != theirs]
    return {
        "case": case.name,
        "images": len(images),
        "identical": f"{float((ours == theirs).mean()):.4f}",
        "accuracy": f"{float((ours == labels).mean()):.4f}",
        "library's accuracy": f"{float((theirs == labels).mean()):.4f}",
        "median margin": f"{float(np.median(margins)):.3g}",
        "largest margin of another prediction": f"{other.max():.3g}" if len(other) else "",
        "outputs predicted": len(set(theirs.tolist())),
    }


def files_of(folder: Path) -> list[tuple[Path, int]]:
    """Return image files and labels in the order of the ids, as a folder's dataset has them."""
    dataset = load_dataset(str(folder))
    order = sorted(range(len(dataset)), key=lambda index: dataset.sample_ids[index])
    return [(folder / dataset.sample_ids[index], dataset.labels[index]) for index in order]


PARTS: dict[str, Callable[[Path, list[tuple[Path, int]]], Iterator[Case]]] = {
    "torchvision": torchvision_cases,
    "timm": timm_cases,
    "hf": hf_cases,
    "exported": exported_cases,
    "open_clip": open_clip_cases,
}


def main() -> None:
    """Compare, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--part", choices=[*PARTS, "photos"], action="append", help="only these; repeat for several")
    parser.add_argument("--photos", type=Path, help="a folder of ImageNet's synset folders with photographs")
    parser.add_argument("--weights", type=Path, help="a folder with trained weights for the photographs")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as name:
        folder = planted(Path(name) / "images", options.images)
        images = files_of(folder)
        shuffled = [images[index] for index in np.random.default_rng(1).permutation(len(images))]
        for part in PARTS:
            for case in PARTS[part](Path(name), shuffled) if part in (options.part or PARTS) else ():
                keep(compared(case, folder, images))
        if options.photos and options.weights and "photos" in (options.part or ["photos"]):
            photos = [(path, imagenet_synsets().index(path.parent.name)) for path, _ in files_of(options.photos)]
            for case in trained_cases(Path(name), options.weights):
                keep(compared(case, options.photos, photos))


def keep(row: dict[str, Any]) -> None:
    """Print a row and put it into the table in place of the case's earlier one, so that a stopped run leaves it."""
    print(row, flush=True)
    rows: dict[str, dict[str, Any]] = {}
    if RESULTS.exists():
        with RESULTS.open(newline="", encoding="utf-8") as file:
            rows = {known["case"]: known for known in csv.DictReader(file)}
    rows[row["case"]] = row
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerows(rows.values())


if __name__ == "__main__":
    main()
