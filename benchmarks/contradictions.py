"""Count verdicts that contradict the shares printed beside them: over random evidence, and over planted worlds.

``python benchmarks/contradictions.py`` draws 100,000 classes whose shares, tests and distinct shares are random, half
of them each by itself and half as one of the 19 hypotheses would give them with noise, and prints how many verdicts the
rule of ``cuesense/analysis/contradictions.py`` had to withhold, and how many contradict their shares all the same (must
be 0). ``--worlds FOLDER`` counts over kept predictions of ``label_worlds.py`` or ``few_classes.py`` too.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from labels import Network

from cuesense.analysis.contradictions import contradiction
from cuesense.analysis.cues import name_cues
from cuesense.analysis.evidence import Evidence, Share
from cuesense.analysis.hypotheses import CUES_LEFT, HYPOTHESES
from cuesense.perturbations.ablations import CUES
from cuesense.stats.intervals import wilson
from cuesense.types import ClassCue, CueVerdict

BATCH = 10_000
# How the guard's sentence begins (cuesense/analysis/cues.py).
WITHHELD = "would fit the ablations together, but the class"


def random_evidence(classes: int, random: np.random.Generator) -> Evidence:
    """Return evidence of classes at random."""
    images = random.choice([12, 20, 50, 200], classes)
    hypothesis = random.integers(len(HYPOTHESES), size=classes)
    by_itself = random.random(classes) < 0.5
    shares = {}
    for ablation, left in CUES_LEFT.items():
        holds = np.array([left in HYPOTHESES[at] for at in hypothesis])
        noisy = np.clip(np.where(holds, 0.9, 0.1) + 0.15 * random.normal(size=classes), 0, 1)
        kept = np.where(by_itself, random.beta(0.4, 0.4, classes), noisy)
        count = np.rint(kept * images)
        low, high = wilson(count, images, 1 - 0.05 / 6)
        distinct = np.clip(
            np.where(by_itself, random.beta(0.4, 0.4, classes), kept - 0.1 * random.random(classes)), 0, 1
        )
        stays = count / images
        told = np.minimum(1, random.uniform(0.55, 1.5, classes))
        of = images.astype(float)
        shares[ablation] = Share(stays, low, high, of, of, stays, stays, distinct, stays, told, distinct)
    nothing = np.zeros(classes)
    return Evidence(
        images=images,
        explainable=images,
        recognized=np.ones(classes),
        chance=nothing,
        fewest=images,
        rival=np.full(classes, -1),
        mistaken=nothing,
        shares=shares,
        q={cue: random.choice([0.01, 0.5], classes) for cue in CUES},
        sinks=(None,) * classes,
        side=int(random.choice([32, 64, 224])),
    )


def drawn(classes: int) -> Iterator[ClassCue]:
    """Yield the verdicts on classes of random evidence."""
    random = np.random.default_rng(0)
    for _ in range(0, classes, BATCH):
        yield from name_cues(random_evidence(BATCH, random), [str(index) for index in range(BATCH)])


def of_worlds(folder: Path) -> Iterator[ClassCue]:
    """Yield the verdicts on all classes of the networks in a folder, from all their images and from 20 a class."""
    for path in sorted(folder.glob("*.npz")):
        network = Network(path.stem, path)
        names = tuple(map(str, network.stored["names"]))
        for evidence in (network.evidence(None, 0), network.evidence(20, 0)):
            yield from name_cues(evidence, names)


def count(answers: Iterable[ClassCue]) -> str:
    """Return how many verdicts there are, how many were withheld, and how many contradict their shares."""
    found: Counter[str] = Counter()
    for answer in answers:
        found["classes"] += 1
        found["given"] += answer.cue is not CueVerdict.UNDETERMINED
        found["withheld"] += WITHHELD in answer.why
        found["contradictions"] += contradiction(answer.cue, answer.evidence) is not None
    return ", ".join(f"{number} {name}" for name, number in found.items())


def main() -> None:
    """Count over random evidence, and over worlds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=100_000)
    parser.add_argument("--worlds", type=Path)
    options = parser.parse_args()
    print("random evidence:", count(drawn(options.classes)), flush=True)
    if options.worlds:
        print("planted worlds:", count(of_worlds(options.worlds)))


if __name__ == "__main__":
    main()
