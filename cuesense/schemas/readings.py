"""readings.json: how well a model recognizes a few images prepared in different ways (``analyze --probe --json``)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cuesense.schemas.base import Document, JsonModel


class ReadingRow(JsonModel):
    """One way to prepare the images."""

    reading: str = Field(description="size, normalization and order of channels in words")
    recognized: int = Field(description="images whose class is recognized")
    images: int | None = Field(
        default=None, description="images that were tried; fewer where the first ones told that another way is as good"
    )
    log_loss: float | None = Field(
        default=None,
        description="mean of -log p of the right class at the best temperature; null where outputs are not finite",
    )
    failed: str | None = Field(default=None, description="what the model says where it fails on such input; else null")
    options: str = Field(description="the options of the command line that prepare images so")
    taken: bool = Field(default=False, description="whether an analysis with the same options would prepare them so")


class ReadingTable(Document):
    """How well a model recognizes up to 64 images under every plausible reading, the best first."""

    NOUN: ClassVar[str] = "table of readings"
    FILE_NAME: ClassVar[str] = "readings.json"
    COMMAND: ClassVar[str] = "cuesense analyze --probe --json"

    model: str = Field(description="the model as it was named")
    dataset: str = Field(description="the images as they were named")
    images: int = Field(description="images that were tried")
    classes: int = Field(description="classes of the dataset")
    readings: list[ReadingRow] = Field(default_factory=list, description="every reading that was tried")
    remarks: list[str] = Field(default_factory=list, description="what was found, in sentences")
