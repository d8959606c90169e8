"""From evidence to verdicts: which cue this model relies on for each class, how sure that is, and why. Pure NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cuesense.analysis.class_evidence import ClassEvidence
from cuesense.analysis.contradictions import contradiction
from cuesense.analysis.cue_sentences import ablation_name, counted, fine_detail, losses, points, why
from cuesense.analysis.evidence import Evidence
from cuesense.analysis.hypotheses import (
    CUES_LEFT,
    VERDICTS,
    likely_recognized,
    shapley_shares,
    with_guesses_taken_off_once,
)
from cuesense.analysis.joint_model import measured_fully, verdict_probabilities
from cuesense.arrays import Floats
from cuesense.errors import readable_name
from cuesense.perturbations.ablations import (
    ALL_REMOVED,
    CUES,
    PRIMARY_ABLATION,
    REPLICATE_ABLATION,
    SMALL_GRAY_TILES,
    Ablation,
)
from cuesense.types import ClassCue, Cue, CueVerdict

# Smallest probability of a verdict by the joint model: on networks of other seeds and on kinds of images left out, it
# leaves the shares of wrong verdicts that docs/method.md ("What was measured") has (`benchmarks/cue_model.py measure`).
CERTAIN = 0.75
# The same for few images (FEW_IMAGES), where as many verdicts are wrong only from here on, and for the posterior over
# Boolean hypotheses, which stands in where ablations of the joint model were not measured.
CERTAIN_WITH_LESS = 0.9
# False discovery rate of necessity over all classes and cues: at it, one sham was found to cost more than the other in
# 0 of 294 classes (docs/method.md, "What was measured"; `benchmarks/labels.py measure`).
FALSE_DISCOVERY = 0.1
# Smallest Shapley share of a cue that is named alone: takes wrong single cues from .107 to .061 at 32 px and from .121
# to .039 at 224 px (docs/method.md, "What was tried", 2026-11-25).
DOMINANT = 0.7
# Clean accuracy less the rival's false alarms that a class needs: below it most of what is recognized may be
# confusion. Chosen by hand; not tuned.
TOLD_APART = 0.5
# Share of the rival's images taken for a class from which on the two count as confused. Chosen by hand; not tuned.
CONFUSED = 0.2
# With fewer images the intervals of the shares cover too little (docs/method.md: .91 near 0 and 1 with ten images), and
# below twenty more verdicts are undetermined. Both chosen by hand; not tuned.
FEWEST_IMAGES = 10
FEW_IMAGES = 20
# Clean accuracy below which a class is flagged: evidence then comes from its easiest images. Chosen by hand; not tuned.
WEAK = 0.7
# Predicted share over true share from which on a class counts as a sink. Chosen by hand; not tuned.
SINK_RATIO = 5.0
# The network's own accuracy over the corrected one from which on the raw one is believed: the prior correction takes
# from a lone class of its kind what it gives to others (docs/method.md, "by_elimination"). Chosen by hand; not tuned.
ELIMINATION = 0.3
# Share of the images that only the prior correction recognizes. From RECOVERED on, verdicts that say that much is kept
# are not given; from RECOVERED_AT_ALL on, none is. Set with the planted lone classes of tests/analysis/test_cues.py.
RECOVERED = 0.5
RECOVERED_AT_ALL = 0.7

# A class relies on texture only where tiles too small for parts of an object still show it: at least this share is
# kept, of which right answers have .29 or more in 19 of 20 cases, and line drawings .13 to .23
# (docs/method.md, "Single cues"). And it must lose something under every removal of texture, one of which keeps lines.
TEXTURE_IN_TILES = 0.3
LOST_WITHOUT_TEXTURE = 0.1
# Share kept from which on cues count as sufficing, each by itself, and as not needed: "most of the class", literally.
SUFFICES = 0.5

# The ablations under which a class may be found by elimination: the others remove no more than these. For the rule that
# stands in for the joint model the second mechanisms count as well: for the joint model they withheld 16 right verdicts
# and no wrong one (the networks of docs/method.md, "What was measured"); for that rule it was not measured.
_REVEALING = (*PRIMARY_ABLATION.values(), ALL_REMOVED)
_REVEALING_WITH_LESS = (*_REVEALING, *REPLICATE_ABLATION.values())
# With more classes the verdict hardly depends on how guesses are taken off: in networks of six and more that question
# withheld nine right verdicts and one wrong one.
FEW_CLASSES = 6
_UNCALIBRATED = "with so few classes, or classes so often confused, a cue cannot be told from guessing"
_SINGLE = (CueVerdict.SHAPE, CueVerdict.TEXTURE, CueVerdict.COLOR)

# This text is part of profile.json.
RULE = (
    f"A cue is named where its probability is at least {CERTAIN:g} by a model of the shares that a class keeps under "
    "25 ablations, fitted to networks whose cues are known; "
    f"{CERTAIN_WITH_LESS:g} below {FEW_IMAGES} images, or where ablations are missing and a simpler rule stands in. "
    "How many of the cues named are wrong on other networks depends on the size of the images; docs/method.md has the "
    "table. A cue counts as necessary where its suppression costs more images than a sham (or than nothing, where "
    "none was applied), at a false discovery rate of "
    f"{FALSE_DISCOVERY:.0%} over all classes and cues (Benjamini, Hochberg 1995). A single cue is named only where it "
    "is necessary; redundant only where most of the class is kept without every cue and on two cues, each by itself; "
    "texture only where small gray tiles still show it. 'Fine detail' is needed where texture and thin lines are not "
    "told apart. No cue is named that the shares beside it contradict, or that depends on how guesses are taken off, "
    "as it may with few classes or classes that are often confused."
)


def usable(evidence: Evidence) -> NDArray[np.bool_]:
    """Return which classes are recognized, told apart, measured and not found by elimination, (C,).

    They may have few images: groups of classes count these, too.
    """
    told = np.nan_to_num(evidence.recognized) - evidence.mistaken >= TOLD_APART
    measured = all(ablation in evidence.shares for ablation in PRIMARY_ABLATION.values())
    revealing = _revealing(evidence)
    found = [_added(evidence, ablation) >= RECOVERED_AT_ALL for ablation in revealing if ablation in evidence.shares]
    hardly_told = [share.told < TOLD_APART for share in evidence.shares.values()]
    return np.asarray(told & (evidence.fewest > 0) & measured & ~np.any([*found, *hardly_told], axis=0))


def _revealing(evidence: Evidence) -> tuple[Ablation, ...]:
    return _REVEALING if measured_fully(evidence) else _REVEALING_WITH_LESS


def _added(evidence: Evidence, ablation: Ablation) -> Floats:
    """Return the share of the images recognized clean that only the prior correction still recognizes, (C,)."""
    share = evidence.shares[ablation]
    return np.asarray(share.stays - share.unaided)


def name_cues(evidence: Evidence, class_names: Sequence[str], classes: Sequence[int] | None = None) -> list[ClassCue]:
    """Decide the verdict on every class, or on some.

    Args:
        evidence: From evidence.gather.
        class_names: Names of the C classes.
        classes: Which classes, in this order; None for all.

    Returns:
        One ClassCue a class.
    """
    likely = verdict_probabilities(evidence)
    generous = verdict_probabilities(with_guesses_taken_off_once(evidence))
    recognized = {
        ablation: likely_recognized(evidence, ablation) for ablation in CUES_LEFT if ablation in evidence.shares
    }
    shapley = shapley_shares(evidence)
    wanted = range(len(class_names)) if classes is None else classes
    every = [ClassEvidence(evidence, index, class_names, recognized, shapley) for index in wanted]
    return [_class_cue(found, likely[:, found.index], generous[:, found.index]) for found in every]


def _class_cue(found: ClassEvidence, likely: Floats, generous: Floats) -> ClassCue:
    evidence = {cue: found.of_cue(cue, necessary=_necessary(found, cue)) for cue in CUES}
    verdict, reason = _decide(found, likely, generous)
    disagrees = contradiction(verdict, evidence)
    if disagrees:
        reason = f"{losses(found)}; {verdict} would fit the ablations together, but the class {disagrees}"
        verdict = CueVerdict.UNDETERMINED
    if verdict is CueVerdict.UNDETERMINED and _needs_fine_detail(found, likely):
        verdict, reason = CueVerdict.FINE_DETAIL, f"{reason}; {fine_detail(found)}"
    return ClassCue(
        cue=verdict,
        probabilities=dict(zip(VERDICTS, likely.tolist(), strict=True)),
        evidence=evidence,
        flags=_flags(found, verdict),
        why=reason,
    )


def _decide(found: ClassEvidence, likely: Floats, generous: Floats) -> tuple[CueVerdict, str]:
    """Return the verdict and its reason."""
    reason = _impossible(found)
    if reason:
        return CueVerdict.UNDETERMINED, reason
    order = np.argsort(-likely, kind="stable")
    verdict = VERDICTS[order[0]]
    if likely[order[0]] < _certain(found):
        first, other = (f"{VERDICTS[at]} ({points(likely[at])} %)" for at in order[:2])
        needed = f"{points(_certain(found))} % are needed"
        return CueVerdict.UNDETERMINED, f"{losses(found)}; the likeliest answers are {first} and {other}, and {needed}"
    doubt = _doubt(found, verdict) or _uncalibrated(found, verdict, generous)
    if doubt:
        return CueVerdict.UNDETERMINED, f"{losses(found)}; {doubt}"
    return verdict, why(found, verdict)


def certainty(evidence: Evidence) -> Floats:
    """Return the probability from which on a verdict on each class is given, (C,)."""
    enough = measured_fully(evidence) & (evidence.fewest >= FEW_IMAGES)
    return np.where(enough, CERTAIN, CERTAIN_WITH_LESS)


def _certain(found: ClassEvidence) -> float:
    return float(certainty(found.every)[found.index])


def _needs_fine_detail(found: ClassEvidence, likely: Floats) -> bool:
    """Return whether a class without a verdict certainly needs fine detail, as texture or as thin lines and parts.

    Literally: most of it is lost under both suppressions that erase thin lines as well as texture, certainly so, most
    is kept in gray, and color is hardly possible.
    """
    if _impossible(found) or likely[VERDICTS.index(CueVerdict.COLOR)] > 1 - CERTAIN_WITH_LESS:
        return False
    highest = [found.high(of_cue[Cue.TEXTURE]) for of_cue in (PRIMARY_ABLATION, REPLICATE_ABLATION)]
    lost = all(high is not None and high < SUFFICES for high in highest)
    return lost and _necessary(found, Cue.TEXTURE) and found.lost(Cue.COLOR) <= 1 - SUFFICES


def _impossible(found: ClassEvidence) -> str | None:
    """Return why nothing can be decided about a class, or None."""
    if found.fewest < FEWEST_IMAGES:
        where = "" if found.fewest == found.images else " under the ablation of a cue"
        return f"has {counted(found.fewest)}{where}; at least {FEWEST_IMAGES} are needed"
    if len(found.class_names) == 1:
        return "is the only class: what tells it from others cannot be measured"
    if not found.above_chance:
        return "is not recognized above chance on clean images"
    if found.told_apart < TOLD_APART and not _confused(found):
        return f"is recognized on {points(found.accuracy)} of 100 clean images only"
    if found.told_apart < TOLD_APART:
        return f"cannot be told from {found.rival} on clean images ({points(found.mistaken)} of 100 are taken for it)"
    missing = [PRIMARY_ABLATION[cue] for cue in CUES if found.share(PRIMARY_ABLATION[cue]) is None]
    if missing:
        return "was not measured under " + ", ".join(map(ablation_name, missing))
    return _hardly_told(found) or _recovered(found, RECOVERED_AT_ALL)


def _hardly_told(found: ClassEvidence) -> str | None:
    """Return that most of what is recognized when nothing is removed may be guesses, or None."""
    if found.told >= TOLD_APART:
        return None
    return (
        f"is predicted for so many images of other classes that {points(1 - found.told)} of 100 of its own may be "
        f"guesses even when nothing is removed: {_UNCALIBRATED}"
    )


def _uncalibrated(found: ClassEvidence, verdict: CueVerdict, generous: Floats) -> str | None:
    """Return why the calibration does not reach this class, or None.

    Where it does, guesses are few beside what is recognized, and the verdict is the same however they are taken off.
    """
    if measured_fully(found.every) and len(found.class_names) >= FEW_CLASSES:
        return None
    at = int(np.argmax(generous))
    if VERDICTS[at] is verdict and generous[at] >= _certain(found):
        return None
    return f"{verdict} does not fit if fewer of the images that are kept are guesses: {_UNCALIBRATED}"


def _doubt(found: ClassEvidence, verdict: CueVerdict) -> str | None:
    """Return why a probable verdict may not be given, or None."""
    keeps_much = verdict in (CueVerdict.REDUNDANT, CueVerdict.INSENSITIVE)
    recovered = _recovered(found, RECOVERED) if keeps_much else None
    if recovered or verdict is CueVerdict.INSENSITIVE:
        return recovered
    unknown = any(found.kept(ablation) is None for ablation in PRIMARY_ABLATION.values())
    if unknown and not measured_fully(found.every):
        return "no image is lost when all cues are removed"
    if verdict is CueVerdict.REDUNDANT:
        return _doubt_redundant(found)
    return _doubt_alone(found, Cue(verdict.value)) if verdict in _SINGLE else None


def _doubt_redundant(found: ClassEvidence) -> str | None:
    """Return why cues may not be called redundant, or None: each must be dispensable, and two must suffice."""
    for cue in CUES:
        if found.lost(cue) > 1 - SUFFICES:
            return f"most of the class is lost without {cue}"
    alone = {cue: found.kept(found.alone(cue)) for cue in CUES}
    known = [share for share in alone.values() if share is not None]
    if len(known) == len(CUES) and sum(share >= SUFFICES for share in known) < 2:
        return "no two cues keep most of the class, each by itself"
    return None


def _doubt_alone(found: ClassEvidence, cue: Cue) -> str | None:
    """Return why a cue may not be named alone, or None."""
    if not _necessary(found, cue):
        return f"the loss without {cue} may be chance"
    if cue is Cue.TEXTURE:
        return _doubt_texture(found)
    return _doubt_share(found, cue)


def _doubt_share(found: ClassEvidence, cue: Cue) -> str | None:
    """Return that a cue carries too little for the rule that stands in for the joint model, or None."""
    part = None if measured_fully(found.every) else found.carried(cue)
    if part is not None and part < DOMINANT:
        return f"{cue} carries {points(part)} % of what is kept (Shapley), {points(DOMINANT)} % are needed"
    return None


def _doubt_texture(found: ClassEvidence) -> str | None:
    """Return why what is lost with fine detail may be thin lines and small parts rather than texture, or None."""
    tiles = found.kept(SMALL_GRAY_TILES)
    if tiles is not None and tiles < TEXTURE_IN_TILES:
        return f"small gray tiles keep {points(tiles)} of 100 points: thin lines and parts are not told from texture"
    if tiles is not None and found.lost(Cue.TEXTURE) < LOST_WITHOUT_TEXTURE:
        return f"a removal of texture that keeps lines costs only {points(found.lost(Cue.TEXTURE))} of 100 points"
    return _doubt_share(found, Cue.TEXTURE)


def _necessary(found: ClassEvidence, cue: Cue) -> bool:
    q = found.false_discovery(cue)
    return q is not None and q <= FALSE_DISCOVERY


def _recovered(found: ClassEvidence, least: float) -> str | None:
    """Return that the prior correction alone recognizes at least this share of the class, or None.

    It fills every class's share of the predictions: a class whose images look like no other class's is found even if
    nothing of it is recognized.
    """
    for ablation in _revealing(found.every):
        share = found.share(ablation)
        if share is not None and found.recovered(ablation) >= least:
            unaided, stays = points(share.unaided[found.index]), points(share.stays[found.index])
            return (
                f"keeps {unaided} of 100 images under {ablation_name(ablation)} as the network answers, {stays} "
                "after the prior correction: it may be found by elimination"
            )
    return None


def _flags(found: ClassEvidence, verdict: CueVerdict) -> dict[str, str]:
    details = {
        "texture_unconfirmed": _unconfirmed(found, verdict),
        "sink": _sink(found),
        "confused_with": _confused(found),
        "by_elimination": _eliminated(found),
        "weak_class": _weak(found),
        "few_images": counted(found.fewest) if found.fewest < FEW_IMAGES else None,
    }
    return {name: detail for name, detail in details.items() if detail}


def _unconfirmed(found: ClassEvidence, verdict: CueVerdict) -> str | None:
    if verdict is not CueVerdict.TEXTURE or found.share(SMALL_GRAY_TILES) is not None:
        return None
    return f"may be thin lines as well: {ablation_name(SMALL_GRAY_TILES)} tells, and was not measured"


def _weak(found: ClassEvidence) -> str | None:
    return f"{points(found.accuracy)} % of its clean images are recognized" if found.accuracy < WEAK else None


def _sink(found: ClassEvidence) -> str | None:
    sink = found.every.sinks[found.index]
    # The ratio may be NaN, which is no sink: hence "not at least".
    if sink is None or not sink[1] >= SINK_RATIO:
        return None
    condition, ratio = sink
    return f"predicted {ratio:.1f} times its share under {readable_name(condition.name)} at {condition.value:g}"


def _confused(found: ClassEvidence) -> str | None:
    return found.rival if found.mistaken >= CONFUSED and found.told_apart < TOLD_APART else None


def _eliminated(found: ClassEvidence) -> str | None:
    recovered = _recovered(found, RECOVERED)
    if recovered:
        return recovered
    for cue in CUES:
        share = found.share(PRIMARY_ABLATION[cue])
        if share is None or not share.raw[found.index] - share.kept[found.index] >= ELIMINATION:
            continue
        raw, kept = points(share.raw[found.index]), points(share.kept[found.index])
        return f"keeps {raw} of 100 points without {cue} as the network answers, {kept} after the prior correction"
    return None
