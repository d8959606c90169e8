"""cost.json: what an analysis would take, before it is begun (``analyze --dry-run --json``)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cuesense.schemas.base import Document, JsonModel


class CostRow(JsonModel):
    """What one choice of configuration and images would take."""

    config: str = Field(description="preset or file that says what is measured")
    images_per_class: int | None = Field(description="images of each class at most; null for all that were given")
    images: int = Field(description="images in all")
    conditions: int = Field(description="conditions of every image, the clean one and those of a transform included")
    forward_passes: int = Field(description="images times conditions that are still to be computed by this command")
    seconds: float | None = Field(
        description="estimated time for them; null where no image could be read, or workers have GPUs that are not here"
    )


class CostEstimate(Document):
    """What an analysis would take, and what others would, which are often cheaper."""

    NOUN: ClassVar[str] = "cost estimate"
    FILE_NAME: ClassVar[str] = "cost.json"
    COMMAND: ClassVar[str] = "cuesense analyze --dry-run --json"

    model: str = Field(description="the model as it was named")
    dataset: str = Field(description="the images as they were named")
    device: str = Field(description="where the network would run")
    part: str = Field(default="1/1", description="which share of the work is meant, such as 2/8")
    workers: int | None = Field(
        default=None,
        description="how many workers of Ray share the work, each taken to be as fast as this machine; null without",
    )
    planned: CostRow = Field(description="the analysis as it was asked for")
    done: int = Field(default=0, description="images times conditions that the output folder already holds")
    memory_bytes: int | None = Field(
        default=None, description="estimated memory of the process at its peak; null where it is not known"
    )
    device_memory_bytes: int | None = Field(default=None, description="the same on a GPU; null without one")
    adaptive: bool = Field(default=False, description="whether the analysis may end before all is computed")
    others: list[CostRow] = Field(default_factory=list, description="other presets, and fewer images a class")
