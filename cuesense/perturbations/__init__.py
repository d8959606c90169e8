"""Perturbations: controlled changes of images in [0, 1], with a dose, drawn per image."""
