"""Which classes of an image classifier rely on shape, color or texture, and how far each may be augmented.

Measure a model, then use the profile:

    import cuesense

    profile = cuesense.analyze("model.pt2", "photos/val", output="cuesense-out")
    profile                            # in a notebook: headline, cue map, the classes that lose most
    profile.classes["lemon"].budgets   # one class, by its name or its index
    policy = cuesense.recommend(profile, spares=False)  # torchvision does not know the class of an image
    print(cuesense.export(policy, profile, "torchvision"))

help(cuesense.analyze), or cuesense.analyze? in a notebook, explains every argument; so with each name below.

Measure what each class relies on:

    analyze(model, dataset)             A model on labeled images, as a Profile. The model is a file, a name such as
                                        "timm:resnet50" or a module; the dataset a folder, a name, a torch dataset or
                                        a DataLoader.
    score(table)                        The same from a table of stored predictions, without model and images.
    estimate_cost(model, dataset)       How long analyze would take, and what is cheaper, as a CostEstimate.
    report(profile, "report.html")      The page of a profile.

Choose augmentations:

    recommend(profile)                  How far each class may be augmented, as a Policy.
    advise(profile)                     The same with its reasons: what is forecast for it and for what it was compared
                                        with.
    export(policy, profile, "timm")     Code or settings for torchvision, kornia, albumentations, timm or ultralytics;
                                        also json and yaml.
    PolicyAugmentation(policy)          A policy as a transform for training.
    forecast(profile, train)            What training with each augmentation would cost every class: the profile again,
                                        with a forecast.
    verify(profile, train, test)        What training with the recommended policies did cost, as a Verification.

Audit what was trained, and compare:

    audit(runs, dataset)                Which classes a regularizer harms, over many checkpoints, as an Audit.
    transfer(runs, dataset)             The same on another task.
    compare(a, b)                       Where two models differ, class by class, as a Comparison.
    check(profile, baseline)            Whether a model lost accuracy: a gate for continuous integration.

Log a profile where training runs are tracked:

    log_to_tensorboard(profile, writer) Numbers, headline and classes; instead of a writer, the folder of a run.
    log_to_mlflow(profile)              Numbers, classes and page, to the active run.
    log_to_wandb(profile)               The same, to the run of wandb.init().

The results, which read and write JSON (Profile.read("cuesense-out"), profile.to_json()):

    Profile        classes["lemon"]     Cue, evidence, budgets and rivals of one class; a list by index.
                   to_frame()           One row a class for pandas; its help explains every column.
                   plot.cue_map()       Charts of matplotlib: also plot.curves("lemon"), confusions(), budgets().
                   ranking("texture")   The classes by their reliance on one cue.
                   report("page.html")  The page.
                   to_fiftyone(...)     Which condition each image fails first, as fields of a FiftyOne dataset.
    Policy         export("timm")       The same as above, without a profile.
    PolicyOptions                       Which policy advise looks for.
    Cue, CueVerdict                     What a class can rely on, and what is found to be true of it.

Bring your own:

    Classifier, Preprocessing           A network, and how its images are prepared.
    perturb(perturbation, images, ...)  The perturbations, on batches of your own.
    register(Perturbation(...))         A new perturbation; Draws gives it its random numbers.
    PlantedWorld                        Synthetic images whose cues are known.

Every error that an input can cause is a CuesenseError, whose text is one sentence that says what to do. What had to be
assumed, such as ImageNet's mean, and what was noticed about model and images is a CuesenseWarning. What takes long
shows a bar in a terminal and in a notebook; progress=False is silent.

Names are imported when they are first used, so that ``import cuesense`` brings neither torch nor pandas.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cuesense.comparison.gate import check
    from cuesense.draws import Draws
    from cuesense.errors import CuesenseError, CuesenseWarning
    from cuesense.perturbations.apply import perturb
    from cuesense.planted.world import PlantedWorld
    from cuesense.policies.advice import advise
    from cuesense.policies.policy import Policy, PolicyOptions
    from cuesense.policies.recommend import export, recommend
    from cuesense.registry import register
    from cuesense.reports.loggers.mlflow import log_to_mlflow
    from cuesense.reports.loggers.tensorboard import log_to_tensorboard
    from cuesense.reports.loggers.wandb import log_to_wandb
    from cuesense.schemas.profile import Profile
    from cuesense.training.augmentation import PolicyAugmentation
    from cuesense.types import Classifier, Cue, CueVerdict, Perturbation, Preprocessing
    from cuesense.types import CueVerdict as CueLabel
    from cuesense.workflows.analyze import analyze, estimate_cost
    from cuesense.workflows.audit import audit
    from cuesense.workflows.compare import compare
    from cuesense.workflows.forecast import forecast
    from cuesense.workflows.profile_files import report
    from cuesense.workflows.score import score
    from cuesense.workflows.transfer import transfer
    from cuesense.workflows.verify import verify

    __version__: str

    # Written out, because type checkers and editors read it without running it.
    __all__ = [
        "Classifier",
        "Cue",
        "CueLabel",
        "CueVerdict",
        "CuesenseError",
        "CuesenseWarning",
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
        "estimate_cost",
        "export",
        "forecast",
        "log_to_mlflow",
        "log_to_tensorboard",
        "log_to_wandb",
        "perturb",
        "recommend",
        "register",
        "report",
        "score",
        "transfer",
        "verify",
    ]

_PUBLIC = {
    "Classifier": "cuesense.types",
    "Cue": "cuesense.types",
    # The name that CueVerdict had first, for programs that were written then.
    "CueLabel": "cuesense.types:CueVerdict",
    "CueVerdict": "cuesense.types",
    "CuesenseError": "cuesense.errors",
    "CuesenseWarning": "cuesense.errors",
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
    "compare": "cuesense.workflows.compare",
    "estimate_cost": "cuesense.workflows.analyze",
    "export": "cuesense.policies.recommend",
    "forecast": "cuesense.workflows.forecast",
    "log_to_mlflow": "cuesense.reports.loggers.mlflow",
    "log_to_tensorboard": "cuesense.reports.loggers.tensorboard",
    "log_to_wandb": "cuesense.reports.loggers.wandb",
    "perturb": "cuesense.perturbations.apply",
    "recommend": "cuesense.policies.recommend",
    "register": "cuesense.registry",
    "report": "cuesense.workflows.profile_files",
    "score": "cuesense.workflows.score",
    "transfer": "cuesense.workflows.transfer",
    "verify": "cuesense.workflows.verify",
}


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted([*_PUBLIC, "__version__"])


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import cuesense`` stays quick."""
    if name == "__version__":
        # Imported here: it takes longer than all else in this file together.
        from importlib.metadata import version

        return version("cuesense")
    # ``help`` prints every name of __all__ with all that it holds, 4,000 lines in which nobody finds a thing. The text
    # above has a line for each.
    if name == "__all__" and sys._getframe(1).f_globals.get("__name__") != "pydoc":
        return __dir__()
    if name not in _PUBLIC:
        raise AttributeError(f"module 'cuesense' has no attribute '{name}'")
    module, _, other_name = _PUBLIC[name].partition(":")
    return getattr(import_module(module), other_name or name)
