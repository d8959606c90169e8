"""The progress of an analysis over all of its stages."""

from __future__ import annotations

from cuesense.types import Progress


class Stages:
    """Counts images over the stages of an analysis, so that the time left is that of all of them.

    An image is done when it was shown to the network under every condition of every stage; half of the conditions of
    all images count as half of the images.
    """

    def __init__(self, images: int, conditions: int, pipeline: int, progress: Progress) -> None:
        """Remember what is to be done.

        Args:
            images: Images in all.
            conditions: Conditions of the configuration.
            pipeline: Conditions of the user's transform; 0 without one.
            progress: Called with (images done, images in all).
        """
        self.images, self.conditions, self.pipeline, self.progress = images, conditions, pipeline, progress
        self.tried = 0

    def clean(self, done: int, total: int) -> None:
        """Count clean images that are tried before the configuration is measured."""
        self.tried = total
        self._say(done)

    def measured(self, done: int, _total: int) -> None:
        """Count images under the configuration."""
        self._say(self.tried + done * self.conditions)

    def under_transform(self, done: int, _total: int) -> None:
        """Count images under the user's transform."""
        self._say(self.tried + self.images * self.conditions + done * self.pipeline)

    def _say(self, forwards: int) -> None:
        every = self.tried + self.images * (self.conditions + self.pipeline)
        self.progress(round(self.images * forwards / max(every, 1)), self.images)
