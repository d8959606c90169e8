"""Run networks over perturbed batches and keep what they predict; load models and datasets that fit each other.

May import sweeps, predictions, datasets, models, perturbations, stats and the top-level modules.
"""
