"""Where a profile's numbers come from: the part of profile.json that lets a run be repeated."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from cuesense.schemas.base import JsonModel

# The architecture of a profile whose predictions were read from a table: no model and no images stood beside them.
FROM_TABLE = "predictions from a table"
# What the fingerprint of images begins with that are known by their names and labels alone.
NAMES_ALONE = "names-"


class ModelInfo(JsonModel):
    """Which model was analyzed and how its images were prepared."""

    spec: str = Field(description="how the model was named on the command line")
    sha256: str | None = Field(description="hash of the weights' file in hexadecimal; null where there is no file")
    architecture: str = Field(description="name of the architecture, or of the file format that carries its own code")
    preprocessing: dict[str, Any] = Field(
        description="input size and resizing in pixels, per-channel mean and standard deviation in [0, 1] units"
    )
    weights_key: str = Field(
        default="", description="where in the file the weights lie, as a dotted path; empty where it holds one set"
    )


class DatasetInfo(JsonModel):
    """Which images were used."""

    spec: str = Field(description="how the dataset was named on the command line")
    images: int = Field(description="number of images")
    classes: int = Field(description="number of classes")
    fingerprint: str = Field(
        description="hash of image ids, labels and files: equal for equal data; of names and labels alone, where it "
        "begins with names-, as for a table of predictions that another program wrote"
    )
    split: str | None = Field(
        default=None, description="part of the dataset that was used, such as val; null where it has no parts"
    )

    def may_be(self, other: DatasetInfo) -> bool:
        """Return whether two may be the same images: equal fingerprints, or one that knows their names alone."""
        known = self.fingerprint, other.fingerprint
        return known[0] == known[1] or any(found.startswith(NAMES_ALONE) for found in known)

    @property
    def named(self) -> str:
        """The dataset and its part, as a report calls them."""
        return self.spec if self.split is None else f"{self.spec} ({self.split})"


class AdaptiveInfo(JsonModel):
    """How much an adaptive run looked at before its answers were settled."""

    forward_passes: int = Field(description="images times conditions that were looked at")
    of: int = Field(description="images times conditions in all")
    looks: int = Field(description="how often it was decided what is still to be looked at")

    @property
    def sentence(self) -> str:
        """The same for a reader."""
        seen = f"{self.forward_passes:,} of {self.of:,} perturbed and clean images"
        share = f"{100 * self.forward_passes / max(1, self.of):.0f} %"
        times = "1 look" if self.looks == 1 else f"{self.looks} looks"
        rest = "" if self.forward_passes == self.of else " The same command without --adaptive looks at the rest."
        return f"Looked at {seen} ({share}), in {times}.{rest}"


class Provenance(JsonModel):
    """Where the numbers come from: enough to repeat the run."""

    cuesense: str = Field(description="version of cuesense")
    created: str = Field(description="time of the run, ISO 8601")
    model: ModelInfo = Field(description="the analyzed model")
    dataset: DatasetInfo = Field(description="the analyzed images")
    config: dict[str, Any] = Field(description="what was measured: the preset or TOML file, in full")
    seed: int = Field(description="seed of all random draws")
    device: str = Field(description="where the network ran: cpu or cuda; none where predictions came from a table")
    versions: dict[str, str] = Field(description="versions of the libraries that the numbers depend on, by name")
    assumptions: list[str] = Field(
        default=[], description="what was assumed about the model and its images, and how, in sentences"
    )
    adaptive: AdaptiveInfo | None = Field(
        default=None, description="what an adaptive run looked at; null where all images were, under all conditions"
    )
