"""A training transform as perturbations: the whole, each step alone, and the whole without each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cuesense.config import Config
from cuesense.perturbations.wrapped import PROBABILITIES, Failures, Sometimes
from cuesense.pipelines.chain import Chain
from cuesense.pipelines.read import Pipeline
from cuesense.types import Perturbation, Role

# Draws of every image: with two, what one draw of an image adds to the noise is halved. Chosen by hand.
REPEATS = 2


@dataclass(frozen=True)
class Plan:
    """What is measured of a training transform.

    Attributes:
        pipeline: The transform.
        whole: All of it, by the share of the images.
        alone: Each step on every image, in the order of the pipeline's augmentations.
        without: The whole without each step, likewise; empty where there is one step.
    """

    pipeline: Pipeline
    whole: Perturbation
    alone: tuple[Perturbation, ...]
    without: tuple[Perturbation, ...]

    @property
    def config(self) -> Config:
        """The perturbations as a configuration, the whole first."""
        return Config(
            "pipeline", self.pipeline.spec, (self.whole, *self.alone, *self.without), repeats=REPEATS, repeats_of={}
        )


def plan(pipeline: Pipeline) -> Plan:
    """Return what is measured of a training transform."""
    spec, names = pipeline.spec, [part.name for part in pipeline.augmentations]
    return Plan(
        pipeline,
        _perturbation("pipeline", spec, pipeline.chain(names), PROBABILITIES),
        tuple(_perturbation(name, f"{name} of {spec}", pipeline.chain([name], always=True)) for name in names),
        tuple(
            _perturbation(
                f"pipeline without {name}",
                f"{spec} without {name}",
                pipeline.chain([other for other in names if other != name]),
            )
            for name in (names if len(names) > 1 else ())
        ),
    )


def failures(planned: Plan) -> dict[str, Failures]:
    """Return how often each part of a transform failed in this process, by what a user calls it; without none."""
    found = [entry.apply for entry in planned.config.perturbations]
    counted = {apply.name: apply.failures for apply in found if isinstance(apply, Sometimes)}
    return {name: count for name, count in counted.items() if count is not None and count.failed}


def _perturbation(name: str, called: str, chain: Chain, shares: Sequence[float] = (1.0,)) -> Perturbation:
    """Return a chain as a perturbation whose value is the chance that it is applied to an image."""
    return Perturbation(
        name=name,
        role=Role.AUGMENTATION,
        suppresses=(),
        damages="what it changes",
        parameter="probability",
        unit="probability",
        ladder=tuple(shares),
        identity=0.0,
        limits=(0.0, 1.0),
        apply=Sometimes(called, chain, "tensor", Failures(quiet=True)),
    )
