"""Names of the 1,000 classes of ILSVRC-2012 ("ImageNet-1k"), from ``assets/imagenet_classes.csv``.

The file was made from, and a test compares it with:

- synsets: the WordNet 3.0 ids of ILSVRC-2012 (Russakovsky et al. 2015, arXiv 1409.0575), sorted, which is the order of
  the outputs of torchvision's, timm's and most other pretrained networks;
- names: those that Radford et al. curated for CLIP's zero-shot prompts, as open_clip ships them (MIT license). Two
  classes that share a name there (missile, sunglasses) are called by their first WordNet lemma instead;
- lemmas: WordNet 3.0's (WordNet license), as timm ships them (Apache-2.0 license).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from cuesense import package_files


@cache
def imagenet_synsets() -> tuple[str, ...]:
    """Return the 1,000 WordNet ids of ILSVRC-2012, sorted, which is the order of a model's outputs."""
    return tuple(row["synset"] for row in _rows())


@cache
def imagenet_names() -> tuple[str, ...]:
    """Return one readable name for each of the 1,000 synsets, in the order of the outputs; all are different."""
    return tuple(row["name"] for row in _rows())


@cache
def imagenet_lemmas() -> Mapping[str, str]:
    """Return WordNet's comma-separated lemmas of each synset, for instance ``"tench, Tinca tinca"``."""
    return MappingProxyType({row["synset"]: row["lemmas"] for row in _rows()})


# Data and not the installed packages' own lists: those are private files that a release may move, and importing
# open_clip or timm would import torch, which commands such as `cuesense list` must not.
@cache
def _rows() -> tuple[dict[str, str], ...]:
    path = package_files.folder("assets") / "imagenet_classes.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))
