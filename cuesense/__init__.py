"""cuesense: which classes rely on shape, color or texture, and how far each may be augmented."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cuesense.comparison.compare import compare
    from cuesense.comparison.gate import check
    from cuesense.draws import Draws
    from cuesense.errors import CuesenseError
    from cuesense.perturbations.apply import perturb
    from cuesense.planted.world import PlantedWorld
    from cuesense.policies.policy import Policy
    from cuesense.policies.recommend import recommend
    from cuesense.schemas.profile import Profile
    from cuesense.training.augmentation import PolicyAugmentation
    from cuesense.types import Classifier, Cue, CueVerdict, Perturbation, Preprocessing
    from cuesense.types import CueVerdict as CueLabel
    from cuesense.workflows.analyze import analyze
    from cuesense.workflows.audit import audit
    from cuesense.workflows.score import score
    from cuesense.workflows.transfer import transfer

_PUBLIC = {
    "CuesenseError": "cuesense.errors",
    "analyze": "cuesense.workflows.analyze",
    "audit": "cuesense.workflows.audit",
    "check": "cuesense.comparison.gate",
    "compare": "cuesense.comparison.compare",
    "perturb": "cuesense.perturbations.apply",
    "PlantedWorld": "cuesense.planted.world",
    "Policy": "cuesense.policies.policy",
    "PolicyAugmentation": "cuesense.training.augmentation",
    "Profile": "cuesense.schemas.profile",
    "recommend": "cuesense.policies.recommend",
    "score": "cuesense.workflows.score",
    "transfer": "cuesense.workflows.transfer",
    "Classifier": "cuesense.types",
    "Cue": "cuesense.types",
    "CueLabel": "cuesense.types:CueVerdict",
    "CueVerdict": "cuesense.types",
    "Draws": "cuesense.types",
    "Perturbation": "cuesense.types",
    "Preprocessing": "cuesense.types",
}

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
    "Preprocessing",
    "Profile",
    "analyze",
    "audit",
    "check",
    "compare",
    "perturb",
    "recommend",
    "score",
    "transfer",
]


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import cuesense`` stays quick."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'cuesense' has no attribute '{name}'")
    module, _, other_name = _PUBLIC[name].partition(":")
    return getattr(import_module(module), other_name or name)
