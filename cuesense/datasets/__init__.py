"""Labeled images from folders, tables, arrays and torch datasets: one file for each kind.

A plug-in is one file with ``load(argument, data_root) -> Dataset`` and one line in ``cuesense/registry.py``. May import
tables and the top-level modules.
"""
