"""Profiles in the trackers of training runs: TensorBoard, MLflow and Weights & Biases, one call each.

May import everything below reports, and the page and words of a profile; each tracker's library where it is installed.
"""
