"""cuesense: which classes rely on shape, color or texture, and how far each may be augmented."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cuesense.auditing import audit
    from cuesense.augment import PolicyAugmentation
    from cuesense.comparison import compare
    from cuesense.errors import CuesenseError
    from cuesense.gate import check
    from cuesense.perturbations.perturb import perturb
    from cuesense.pipeline import analyze
    from cuesense.planted.world import PlantedWorld
    from cuesense.policy import Policy
    from cuesense.profile import Profile
    from cuesense.recommendation import recommend
    from cuesense.stored import score
    from cuesense.transferring import transfer
    from cuesense.types import Classifier, Cue, CueLabel, Draws, Perturbation, Preprocessing

_PUBLIC = {
    "CuesenseError": "cuesense.errors",
    "analyze": "cuesense.pipeline",
    "audit": "cuesense.auditing",
    "check": "cuesense.gate",
    "compare": "cuesense.comparison",
    "perturb": "cuesense.perturbations.perturb",
    "PlantedWorld": "cuesense.planted.world",
    "Policy": "cuesense.policy",
    "PolicyAugmentation": "cuesense.augment",
    "Profile": "cuesense.profile",
    "recommend": "cuesense.recommendation",
    "score": "cuesense.stored",
    "transfer": "cuesense.transferring",
    "Classifier": "cuesense.types",
    "Cue": "cuesense.types",
    "CueLabel": "cuesense.types",
    "Draws": "cuesense.types",
    "Perturbation": "cuesense.types",
    "Preprocessing": "cuesense.types",
}

__all__ = [
    "Classifier",
    "Cue",
    "CueLabel",
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
    return getattr(import_module(_PUBLIC[name]), name)
