"""What the installed packages know of ImageNet's classes, read without importing them (they would import torch)."""

from __future__ import annotations

import runpy
from collections import Counter
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def imagenet_synsets() -> tuple[str, ...]:
    """Return the 1000 WordNet ids of ILSVRC-2012, sorted, which is the order of a model's outputs."""
    return tuple((_package("timm") / "data/_info/imagenet_synsets.txt").read_text().split())


@cache
def lemmas() -> dict[str, str]:
    """Return WordNet's lemma list, for instance ``"tench, Tinca tinca"``, of each of ImageNet's 21 844 synsets."""
    text = (_package("timm") / "data/_info/imagenet_synset_to_lemma.txt").read_text()
    return dict(line.split("\t") for line in text.splitlines())


@cache
def imagenet_names() -> tuple[str, ...]:
    """Return one readable name for each of the 1000 synsets, all different.

    They are the names that open_clip curated for zero-shot prompts; where those give two classes one name
    (missile, sunglasses), it is the first of WordNet's lemmas.
    """
    names = runpy.run_path(str(_package("open_clip") / "zero_shot_metadata.py"))["IMAGENET_CLASSNAMES"]
    count = Counter(map(str.casefold, names))
    return tuple(
        name if count[name.casefold()] == 1 else lemmas()[synset].partition(",")[0]
        for name, synset in zip(names, imagenet_synsets(), strict=True)
    )


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return Path(spec.submodule_search_locations[0])
