"""A network on its device, with what turns decoded images into outcomes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cuesense.datasets.images import Prepared
from cuesense.errors import DatasetError, expected
from cuesense.inference.batches import BatchMaker
from cuesense.inference.compiled import CompiledNetwork, pays
from cuesense.inference.forward import DeviceMemoryError, check_count, check_finite, forward, placed
from cuesense.inference.output_kind import as_logits
from cuesense.inference.units import Identities, Run, Unit
from cuesense.predictions.shards import ALL_OUTPUTS, KEPT_SCORES, Shard
from cuesense.types import Condition

_LOG = logging.getLogger(__name__)

Columns = dict[str, Tensor]
Decoded = list[Prepared | str]


class _Image(NamedTuple):
    """A readable image: its place in the dataset, and what was decoded."""

    place: int
    prepared: Prepared


class Runner:
    """Runs a network on decoded images, and makes shards of what it predicts.

    Nothing is read back from the device before a shard is complete, so that a GPU always has work.
    """

    def __init__(self, run: Run, identities: Identities, images: int = 0) -> None:
        """Bring the network to its device.

        Args:
            run: The network, the images and the conditions.
            identities: Those of the run's images.
            images: How many the network will be shown, each as often as there are conditions: whether it pays to
                compile it.
        """
        self.run, self.identities = run, identities
        self.device = torch.device(run.options.device)
        network: Callable[[Tensor], Any] = placed(run.classifier.network, run.options.device)
        self.network = CompiledNetwork(network) if pays(network, run.options, images) else network
        self.size = run.batch_size
        self.maker = self._maker()
        self.outputs = torch.tensor(run.outputs, device=self.device)
        # Half the bytes of a shard are scores and outputs: wide numbers only where outputs need them.
        self.output_type = torch.int16 if run.output_count <= torch.iinfo(torch.int16).max + 1 else torch.int32

    def shard(self, unit: Unit, batches: Iterable[Decoded], advance: Callable[[int], None]) -> Shard:
        """Return the outcomes of a unit of work.

        Args:
            unit: Its images and conditions.
            batches: Its images in batches, in their order.
            advance: Called with the number of images after every batch.

        Raises:
            ModelError: The network failed, or gave NaN or another shape than (N, K).
            DatasetError: The images' sizes differ where none was given.
        """
        conditions = [self.run.conditions[number] for number in unit.conditions]
        indices = iter(unit.images)
        found, columns = _Images(), []
        for batch in batches:
            # The batch comes first: zip takes no index when it has ended.
            images = found.add([(index, image) for image, index in zip(batch, indices, strict=False)])
            if images:
                columns.append(self._batch(self._pixels(images), images, conditions))
            advance(len(batch))
        self._check(columns, found.readable, conditions)
        return self._shard(found, conditions, columns)

    def together(
        self, units: Sequence[Unit], batches: Iterable[Decoded], advance: Callable[[int, int], None]
    ) -> list[Shard]:
        """Return the outcomes of small units of work that have some conditions in common.

        Under each condition the images of all units that want it share batches, so that few of them are filled up.

        Args:
            units: Images and conditions.
            batches: Their images in batches, in the order of the units.
            advance: Called with 1 and the number of images after every condition.

        Raises:
            ModelError: As for ``shard``.
            DatasetError: Likewise.
        """
        images, owner, found = _of_units(units, batches)
        pixels = self._pixels(images) if images else torch.empty(0)
        columns: list[list[Columns]] = [[] for _ in units]
        for number in sorted({number for unit in units for number in unit.conditions}):
            wants = np.array([number in unit.conditions for unit in units])
            rows = np.flatnonzero(wants[owner])
            if len(rows):
                outcomes = self._of_rows(pixels, images, rows, self.run.conditions[number])
                for unit in np.flatnonzero(wants).tolist():
                    own = torch.from_numpy(owner[rows] == unit).to(self.device)
                    columns[unit].append({name: values[:, own] for name, values in outcomes.items()})
            advance(1, sum(len(unit.images) for unit in units if number in unit.conditions))
        return [self._of_unit(*part) for part in zip(units, found, columns, strict=True)]

    def _of_rows(self, pixels: Tensor, images: list[_Image], rows: NDArray[np.int64], condition: Condition) -> Columns:
        """Return the outcomes of some of the images under a condition, in full batches but for the last."""
        size = self.run.batch_size
        chunks = (rows[start : start + size] for start in range(0, len(rows), size))
        parts = [
            self._batch(pixels[torch.from_numpy(chunk).to(self.device)], [images[row] for row in chunk], [condition])
            for chunk in chunks
        ]
        return _joined(parts)

    def _of_unit(self, unit: Unit, found: _Images, columns: list[Columns]) -> Shard:
        conditions = [self.run.conditions[number] for number in unit.conditions]
        together = [{name: torch.cat([row[name] for row in columns]) for name in columns[0]}] if columns else []
        self._check(together, found.readable, conditions)
        return self._shard(found, conditions, together)

    def _batch(self, pixels: Tensor, images: list[_Image], conditions: Sequence[Condition]) -> Columns:
        """Return the outcomes of a batch, on the device; smaller batches are taken where its memory is too small."""
        while True:
            try:
                parts = [slice(start, start + self.size) for start in range(0, len(images), self.size)]
                return _joined([self._outcomes(pixels[part], images[part], conditions) for part in parts])
            except (torch.OutOfMemoryError, DeviceMemoryError) as error:
                if self.size == 1 or self.run.classifier.fixed_batch:
                    raise error if isinstance(error, DeviceMemoryError) else DeviceMemoryError.of(self.size) from None
            self._take_less()

    def _take_less(self) -> None:
        """Halve the batches, and free what the larger ones took."""
        self.size //= 2
        self.maker = self._maker()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        _LOG.warning("the device ran out of memory with %d images a batch: going on with %d", 2 * self.size, self.size)

    def _maker(self) -> BatchMaker:
        options = self.run.options
        return BatchMaker(self.run.classifier.preprocessing, self.size, options.device, options.seed)

    def _pixels(self, images: list[_Image]) -> Tensor:
        return self._on_device(np.stack(_of_one_size([image.prepared.pixels for image in images])))

    def _outcomes(self, pixels: Tensor, images: list[_Image], conditions: Sequence[Condition]) -> Columns:
        labels = np.array([self.run.dataset.labels[image.place] for image in images], dtype=np.int64)
        with torch.inference_mode():
            floats = pixels.float().div_(255)
            truth = self.outputs[self._on_device(labels)]
            rows = [self._outcome(condition, floats, images, truth) for condition in conditions]
            return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def _on_device(self, array: NDArray[Any]) -> Tensor:
        tensor = torch.from_numpy(array)
        # From pinned memory the copy needs no wait for what the device still has to do.
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else tensor

    def _outcome(self, condition: Condition, pixels: Tensor, images: list[_Image], truth: Tensor) -> Columns:
        batch = self.maker.batch_of(condition, pixels, [image.prepared.key for image in images])
        given = forward(self.network, batch, self.run.options)
        check_count(given.shape[1], self.run.output_count)
        # Only what is kept is checked: beyond the images the batch is filled with copies.
        given = given[: len(pixels)]
        logits = as_logits(given, self.run.classifier.output_kind)
        true_logit = logits.gather(1, truth[:, None])
        log_p = logits.log_softmax(dim=1)
        others = logits.scatter(1, truth[:, None], -torch.inf).amax(dim=1)
        found = {
            "predicted": logits.argmax(dim=1).int(),
            "p_true": log_p.gather(1, truth[:, None])[:, 0].exp(),
            "margin": true_logit[:, 0] - others if logits.shape[1] > 1 else true_logit[:, 0],
            "finite": torch.isfinite(logits).all(dim=1),
            "largest": given.abs().amax(dim=1).double(),
            **self._scores(log_p),
        }
        if self.device.type == "cpu":
            # Reading costs nothing here, and a long run ends at the first image that is wrong.
            self._check([{name: found[name][None] for name in ("finite", "largest")}], images, [condition])
        return found

    def _scores(self, log_p: Tensor) -> Columns:
        if self.identities.chosen_from == ALL_OUTPUTS:
            return {"scores": log_p, "outputs": torch.empty(len(log_p), 0, dtype=self.output_type, device=log_p.device)}
        of_classes = log_p[:, self.outputs]
        if len(self.outputs) <= KEPT_SCORES:
            return {"scores": of_classes, "outputs": self.outputs.to(self.output_type).expand(len(log_p), -1)}
        best = of_classes.topk(KEPT_SCORES, dim=1)
        return {"scores": best.values, "outputs": self.outputs[best.indices].to(self.output_type)}

    def _check(self, columns: list[Columns], images: Sequence[_Image], conditions: Sequence[Condition]) -> None:
        """Raise ModelError where an image has no finite logits; the device is waited for."""
        if not columns:
            return
        finite, largest = (torch.cat([part[name] for part in columns], dim=1).cpu() for name in ("finite", "largest"))
        for number, condition in enumerate(conditions):
            ids = [self.run.dataset.sample_ids[image.place] for image in images]
            check_finite(finite[number], largest[number], ids, condition)

    def _shard(self, found: _Images, conditions: Sequence[Condition], columns: list[Columns]) -> Shard:
        images, ids = found.readable, self.run.dataset.sample_ids
        of = self.identities.of
        values = _joined(columns) if columns else {}
        arrays = {name: values[name].cpu().numpy() for name in values if name not in ("finite", "largest")}
        prepared = [image.prepared for image in images]
        return Shard(
            images=np.array([of(image.place, image.prepared) for image in images], dtype=np.uint64),
            digests=np.array([image.digest for image in prepared], dtype=np.uint64),
            largest=np.array([image.values.largest for image in prepared], dtype=np.float64),
            white=np.array([image.values.white for image in prepared], dtype=np.float64),
            conditions=tuple(self.identities.condition_of(condition) for condition in conditions),
            chosen_from=self.identities.chosen_from,
            skipped=tuple((of(index, reason), ids[index], reason) for index, reason in found.skipped),
            **(_nothing(len(conditions)) | arrays),
        )


class _Images:
    """The images of a unit of work as they come: those that can be read, and the reasons of the others."""

    def __init__(self) -> None:
        self.readable: list[_Image] = []
        self.skipped: list[tuple[int, str]] = []

    def add(self, batch: list[tuple[int, Prepared | str]]) -> list[_Image]:
        """Sort a batch into the two, and return its readable images."""
        readable = [_Image(index, image) for index, image in batch if not isinstance(image, str)]
        self.readable += readable
        self.skipped += [(index, image) for index, image in batch if isinstance(image, str)]
        return readable


def _of_units(
    units: Sequence[Unit], batches: Iterable[Decoded]
) -> tuple[list[_Image], NDArray[np.int64], list[_Images]]:
    """Return the readable images of units of work, the unit of each, and the images of every unit."""
    decoded = chain.from_iterable(batches)
    found = [_Images() for _ in units]
    for unit, of_unit in zip(units, found, strict=True):
        of_unit.add([(index, next(decoded)) for index in unit.images])
    owner = np.repeat(np.arange(len(units)), [len(of_unit.readable) for of_unit in found])
    return [image for of_unit in found for image in of_unit.readable], owner, found


def _of_one_size(images: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    # A batch is one tensor. Images are of one size already where the classifier knows its image size.
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        raise DatasetError(
            expected("all images", "of one size", f"sizes {sorted(shapes)[:2]}", "Give --image-size and --resize")
        )
    return images


def _joined(columns: list[Columns]) -> Columns:
    return {name: torch.cat([column[name] for column in columns], dim=1) for name in columns[0]}


def _nothing(conditions: int) -> dict[str, NDArray[Any]]:
    """Return the outcomes of no images; what is there of others takes their place."""
    flat, deep = (conditions, 0), (conditions, 0, 0)
    return {
        "predicted": np.empty(flat, np.int32),
        "p_true": np.empty(flat, np.float32),
        "margin": np.empty(flat, np.float32),
        "scores": np.empty(deep, np.float32),
        "outputs": np.empty(deep, np.int16),
    }
