"""Worlds of synthetic images of other kinds than ``cuesense.planted``: the families "parts" and "fields", single cues.

Thresholds that are chosen on all families, even seeds, and measured on odd seeds (other generators of the same family)
and on families left out, are not tuned to the pictures of one generator.
May import ``cuesense.planted`` and ``cuesense.types``.
"""
