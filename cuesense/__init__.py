"""Which classes of an image classifier rely on shape, color or texture, and how far each may be augmented.

Measure a model, then use the profile:

    import cuesense

    profile = cuesense.analyze("model.pt2", "photos/val", output="cuesense-out")
    print(profile.classes[0].cue, profile.classes[0].budgets)
    policy = cuesense.recommend(profile, spares=False)  # torchvision does not know the class of an image
    print(cuesense.export(policy, profile, "torchvision"))

What there is, by the question it answers:

    analyze, score       What does each class rely on? From a model and images, or from stored predictions.
    report               The page of a profile.
    recommend, export    How far may each class be augmented? As a policy, or as code for a training library.
    advise               The same with its reasons: what is forecast for it and for what it was compared with.
    forecast, verify     What would training with a policy cost each class, and what did it cost?
    audit, transfer      Which classes does a regularizer harm, over many checkpoints, here or on another task?
    compare, check       Where do two models differ, and did a model lose accuracy?
    perturb, register    The perturbations, on one's own batches of images; and new ones of one's own.
    Profile, Policy      The results, which read and write JSON. PolicyOptions: what ``advise`` may recommend.
    PolicyAugmentation   A policy as a transform for training.
    Cue, CueVerdict      What a class can rely on, and what is found to be true of it.
    Classifier, Preprocessing, Perturbation, Draws
                         What one's own models and perturbations are made of.
    PlantedWorld         Synthetic images whose cues are known.
    CuesenseError        Base of every error that an input can cause.

Names are imported when they are first used, so that ``import cuesense`` brings neither torch nor pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cuesense.comparison.compare import compare
    from cuesense.comparison.gate import check
    from cuesense.draws import Draws
    from cuesense.errors import CuesenseError
    from cuesense.perturbations.apply import perturb
    from cuesense.planted.world import PlantedWorld
    from cuesense.policies.advice import advise
    from cuesense.policies.policy import Policy, PolicyOptions
    from cuesense.policies.recommend import export, recommend
    from cuesense.registry import register
    from cuesense.schemas.profile import Profile
    from cuesense.training.augmentation import PolicyAugmentation
    from cuesense.types import Classifier, Cue, CueVerdict, Perturbation, Preprocessing
    from cuesense.types import CueVerdict as CueLabel
    from cuesense.workflows.analyze import analyze
    from cuesense.workflows.audit import audit
    from cuesense.workflows.forecast import forecast
    from cuesense.workflows.profile_files import report
    from cuesense.workflows.score import score
    from cuesense.workflows.transfer import transfer
    from cuesense.workflows.verify import verify

    __version__: str

_PUBLIC = {
    "Classifier": "cuesense.types",
    "Cue": "cuesense.types",
    # The name that CueVerdict had first, for programs that were written then.
    "CueLabel": "cuesense.types:CueVerdict",
    "CueVerdict": "cuesense.types",
    "CuesenseError": "cuesense.errors",
    "Draws": "cuesense.draws",
    "Perturbation": "cuesense.types",
    "PlantedWorld": "cuesense.planted.world",
    "Policy": "cuesense.policies.policy",
    "PolicyOptions": "cuesense.policies.policy",
    "PolicyAugmentation": "cuesense.training.augmentation",
    "Preprocessing": "cuesense.types",
    "Profile": "cuesense.schemas.profile",
    "advise": "cuesense.policies.advice",
    "analyze": "cuesense.workflows.analyze",
    "audit": "cuesense.workflows.audit",
    "check": "cuesense.comparison.gate",
    "compare": "cuesense.comparison.compare",
    "export": "cuesense.policies.recommend",
    "forecast": "cuesense.workflows.forecast",
    "perturb": "cuesense.perturbations.apply",
    "recommend": "cuesense.policies.recommend",
    "register": "cuesense.registry",
    "report": "cuesense.workflows.profile_files",
    "score": "cuesense.workflows.score",
    "transfer": "cuesense.workflows.transfer",
    "verify": "cuesense.workflows.verify",
}

# Written out, because type checkers and editors read it without running it.
__all__ = [
    "Classifier",
    "Cue",
    "CueLabel",
    "CueVerdict",
    "CuesenseError",
    "Draws",
    "Perturbation",
    "PlantedWorld",
    "Policy",
    "PolicyAugmentation",
    "PolicyOptions",
    "Preprocessing",
    "Profile",
    "__version__",
    "advise",
    "analyze",
    "audit",
    "check",
    "compare",
    "export",
    "forecast",
    "perturb",
    "recommend",
    "register",
    "report",
    "score",
    "transfer",
    "verify",
]


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import cuesense`` stays quick."""
    if name == "__version__":
        # Imported here: it takes longer than all else in this file together.
        from importlib.metadata import version

        return version("cuesense")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'cuesense' has no attribute '{name}'")
    module, _, other_name = _PUBLIC[name].partition(":")
    return getattr(import_module(module), other_name or name)
