"""Controlled changes of images in [0, 1], with random numbers of their own for each image.

May import the top-level modules only. ``catalog.py`` and ``ablations.py`` are tables and do not import torch.
"""
