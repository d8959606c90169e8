"""Synthetic profiles with plausible numbers, and pictures to go with them."""

from __future__ import annotations

import numpy as np

from cuesense.reports.pictures import Answer, Picture, Strip, encode
from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import (
    BudgetModel,
    ClassModel,
    Counts,
    CueModel,
    CurveModel,
    DatasetInfo,
    GlobalBudget,
    ModelInfo,
    PolicyModel,
    Profile,
    Provenance,
    RivalModel,
    Summary,
)
from cuesense.types import BudgetStatus, Cue, CueVerdict, Role

SIDE = "fraction of shorter side"
NAMES = (
    "tench",
    "barn spider",
    "goldfish",
    "school bus",
    "zebra",
    "lemon",
    "sewing machine",
    "rocking chair",
    "monarch butterfly",
    "brain coral",
    "espresso",
    "king penguin",
)
SPECS: tuple[tuple[str, Role, tuple[Cue, ...], str, str, tuple[float, ...]], ...] = (
    ("grayscale", Role.SUPPRESSION, (Cue.COLOR,), "blend", "fraction", (0.25, 0.5, 0.75, 1.0)),
    ("channel_permutation", Role.SUPPRESSION, (Cue.COLOR,), "blend", "fraction", (0.25, 0.5, 0.75, 1.0)),
    ("median_blur", Role.SUPPRESSION, (Cue.TEXTURE,), "window", SIDE, (0.03, 0.07, 0.11, 0.16)),
    ("gaussian_blur", Role.SUPPRESSION, (Cue.TEXTURE,), "sigma", SIDE, (0.0045, 0.009, 0.018, 0.036)),
    ("patch_shuffle", Role.SUPPRESSION, (Cue.SHAPE,), "grid", "tiles a side", (2, 3, 4, 6, 8)),
    ("patch_rotation", Role.SUPPRESSION, (Cue.SHAPE,), "grid", "tiles a side", (2, 3, 4, 6, 8)),
    (
        "grayscale_opening_closing",
        Role.SUPPRESSION,
        (Cue.COLOR, Cue.TEXTURE),
        "window",
        SIDE,
        (0.036, 0.0625, 0.11, 0.16),
    ),
    ("random_resized_crop", Role.AUGMENTATION, (), "scale", "area fraction", (0.7, 0.4, 0.2, 0.08)),
    ("color_jitter", Role.AUGMENTATION, (), "strength", "fraction", (0.1, 0.2, 0.4, 0.8)),
    ("random_gaussian_blur", Role.AUGMENTATION, (), "sigma", SIDE, (0.0045, 0.009, 0.018, 0.036)),
    ("random_erasing", Role.AUGMENTATION, (), "area", "area fraction", (0.1, 0.2, 0.33, 0.6)),
    ("random_rotation", Role.AUGMENTATION, (), "angle", "degrees", (10, 30, 60, 180)),
    ("horizontal_flip", Role.AUGMENTATION, (), "probability", "probability", (0.25, 0.5, 0.75, 1.0)),
    ("tile_jitter", Role.CONTROL, (), "displacement", SIDE, (0.009, 0.018, 0.036, 0.07)),
)


def profile(
    classes: int = 12,
    *,
    images: int = 50,
    empty: int = 0,
    seed: int = 0,
    names: tuple[str, ...] = NAMES,
    copies: int = 1,
) -> Profile:
    """Return a profile; the last ``empty`` classes have no images, every curve comes ``copies`` times."""
    random = np.random.default_rng(seed)
    n = np.where(np.arange(classes) < classes - empty, images, 0)
    clean = random.binomial(n, random.beta(9, 1.6, classes))
    reliance = random.dirichlet((0.4, 0.4, 0.4), classes)
    curves = [_curve(random, spec, n, clean, reliance, copy) for copy in range(copies) for spec in SPECS]
    called = [names[index] if index < len(names) else f"class {index:04d}" for index in range(classes)]
    entries = [
        _class(random, index, called, int(n[index]), int(clean[index]), reliance[index], curves)
        for index in range(classes)
    ]
    known = [entry.clean_accuracy for entry in entries if entry.clean_accuracy is not None]
    labels = [entry.cue for entry in entries]
    return Profile(
        provenance=_provenance(int(n.sum()), classes),
        summary=Summary(
            clean_accuracy=float(clean.sum() / n.sum()) if n.sum() else None,
            worst_class_accuracy=min(known, default=None),
            labels={label: labels.count(label) for label in CueVerdict},
            warnings=["Normalization was assumed: the weights carry none."] if empty == 0 else [],
        ),
        curves=curves,
        classes=entries,
        policy=_policy(entries, curves),
    )


def pictures(source: Profile, seed: int = 0, strips: int = 3, side: int = 48) -> dict[int, list[Strip]]:
    """Return strips of noise of every class with images, the first of its perturbations with all their severities.

    Answers are right up to the second severity, and then the class that follows.
    """
    random = np.random.default_rng(seed)
    found = {}
    for at, entry in enumerate(source.classes):
        if entry.images:
            pixels = random.integers(0, 256, (side, side, 3), dtype=np.uint8)
            rival = source.classes[(at + 1) % len(source.classes)].name
            found[at] = [_strip(curve, pixels, entry.name, rival) for curve in source.curves[:strips]]
    return found


def _strip(curve: CurveModel, pixels: np.ndarray, name: str, rival: str) -> Strip:
    right, wrong = Answer(name, 0.9, True, rival, 0.05), Answer(rival, 0.6, False, name, 0.3)

    def tile(severity: int, value: float) -> Picture:
        image = encode(pixels // (severity + 1), 96, 60)
        return Picture(f"{name}/0.jpg", severity, value, image, right if severity <= 2 else wrong)

    tiles = tuple(tile(severity, value) for severity, value in enumerate(curve.values, start=1))
    return Strip(curve.perturbation, tile(0, 0.0), tiles)


def _provenance(images: int, classes: int) -> Provenance:
    return Provenance(
        cuesense="0.1.0",
        created="2026-11-24T06:00:00+00:00",
        model=ModelInfo(
            spec="torchvision:resnet18",
            sha256="5c106cde386e87d4033832f2996f5493238eda96ccf559d1d62760c4de0613f8",
            architecture="resnet18",
            preprocessing={"image_size": [224, 224], "mean": [0.485, 0.456, 0.406], "interpolation": "bilinear"},
        ),
        dataset=DatasetInfo(spec="photos/val", images=images, classes=classes, fingerprint="9f86d081884c7d65"),
        config={"preset": "standard", "images_per_class": 50, "repeats": 3},
        seed=0,
        device="cpu",
        versions={"torch": "2.14.0", "kornia": "0.9.0"},
    )


def _curve(random, spec, n, clean, reliance, copy) -> CurveModel:
    name, role, suppresses, parameter, unit, ladder = spec
    strength = (
        sum(reliance[:, list(Cue).index(cue)] for cue in suppresses)
        if suppresses
        else 0.5 * reliance[:, sum(map(ord, name)) % 3]
    )
    strength = strength * (0.05 if role is Role.CONTROL else 1)
    repeats = 3 if role is Role.AUGMENTATION else 1
    dose = np.linspace(1 / len(ladder), 1, len(ladder))[:, None]
    lost = random.binomial(clean * repeats, np.clip(strength * dose, 0, 1))
    gained = random.binomial((n - clean) * repeats, 0.08 * dose)
    more = random.binomial(lost, 0.12)
    return CurveModel(
        perturbation=name if copy == 0 else f"{name}_{copy}",
        cue=suppresses[0] if len(suppresses) == 1 else None,
        suppresses=list(suppresses),
        role=role,
        parameter=parameter,
        unit=unit,
        values=list(ladder),
        pixels=[round(224 * value, 3) for value in ladder] if unit == SIDE else None,
        repeats=repeats,
        n=n.tolist(),
        clean_correct=clean.tolist(),
        lost=lost.tolist(),
        gained=gained.tolist(),
        corrected=Counts(clean_correct=clean.tolist(), lost=(lost - more).tolist(), gained=gained.tolist()),
    )


def _class(random, index, names, images, clean, reliance, curves) -> ClassModel:
    cue = _label(reliance) if images else CueVerdict.UNDETERMINED
    rival = names[(index + 1) % len(names)]
    found = {part: _cue(value, images) for part, value in zip(Cue, reliance.tolist(), strict=True)}
    augmentations = [curve for curve in curves if curve.role is Role.AUGMENTATION]
    return ClassModel(
        index=index,
        name=names[index],
        images=images,
        clean_accuracy=clean / images if images else None,
        cue=cue,
        reliance=found,
        flags={"few_images": f"{images} images"} if 0 < images < 20 else {},
        why=_why(cue, reliance) if images else "There are no images of this class.",
        budgets={curve.perturbation: _budget(random, curve, index, rival) for curve in augmentations},
        rivals=[RivalModel(rival=rival, perturbation="grayscale", share=0.12)] if images and len(names) > 1 else [],
    )


def _cue(value: float, images: int) -> CueModel:
    interval = _interval(value, images).model_dump()
    return CueModel(**interval, sufficiency=_interval(0.9 * value, images), necessary=value > 0.3)


def _label(reliance) -> CueVerdict:
    first, second = np.sort(reliance)[::-1][:2]
    if first - second < 0.12:
        return CueVerdict.UNDETERMINED
    return CueVerdict(list(Cue)[int(reliance.argmax())].value) if second < 0.3 else CueVerdict.MIXED


def _why(cue: CueVerdict, reliance) -> str:
    shape, texture, color = (f"{100 * part:.0f} %" for part in reliance)
    return (
        f"Of its accuracy above chance the class loses {shape} under patch shuffle, {texture} under median blur and "
        f"{color} under grayscale; by this rule the answer is {cue.value}."
    )


def _interval(value: float, images: int) -> Estimate:
    if not images:
        return Estimate(value=None, low=None, high=None)
    half = 2 * (value * (1 - value) / images) ** 0.5 + 0.03
    return Estimate(value=value, low=value - half, high=value + half)


def _budget(random, curve: CurveModel, index: int, rival: str) -> BudgetModel:
    known = curve.n[index] > 0
    images = max(curve.n[index] * curve.repeats, 1)
    drops = [(lost[index] - gained[index]) / images for lost, gained in zip(curve.lost, curve.gained, strict=True)]
    safe = next((rung for rung, drop in enumerate(drops) if drop > 0.04), len(drops)) if known else 0
    drop = drops[max(safe - 1, 0)]
    if not known:
        status, limit = BudgetStatus.UNDETERMINED, "too few images"
    elif safe == 0:
        status = BudgetStatus.NONE if random.random() < 0.5 else BudgetStatus.UNDETERMINED
        limit = "own accuracy" if status is BudgetStatus.NONE else "too few images"
    else:
        status = BudgetStatus.UNLIMITED if safe == len(drops) else BudgetStatus.LIMITED
        limit = None if status is BudgetStatus.UNLIMITED else f"leak into {rival}"
    return BudgetModel(
        parameter=curve.parameter,
        unit=curve.unit,
        value=curve.values[safe - 1] if safe else None,
        status=status,
        drop=drop if known else None,
        low=drop - 0.03 if known else None,
        high=drop + 0.03 if known else None,
        limited_by=limit,
    )


def _policy(entries: list[ClassModel], curves: list[CurveModel]) -> PolicyModel:
    shared = {}
    for curve in curves:
        if curve.role is not Role.AUGMENTATION:
            continue
        budgets = [entry.budgets[curve.perturbation] for entry in entries]
        rungs = [curve.values.index(part.value) if part.value is not None else -1 for part in budgets]
        at = rungs.index(min(rungs))
        limit = None if budgets[at].status is BudgetStatus.UNLIMITED else entries[at].name
        shared[curve.perturbation] = GlobalBudget(
            value=budgets[at].value, status=budgets[at].status, limited_by_class=limit
        )
    per_class = {entry.name: {name: part.value for name, part in entry.budgets.items()} for entry in entries}
    return PolicyModel(tolerance=0.05, confidence=0.95, global_=shared, per_class=per_class)
