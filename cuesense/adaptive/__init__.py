"""Decide, look by look, which images are still to be predicted: fewer forward passes for the full run's answers.

May import analysis, policies, predictions, perturbations' tables, stats and the top-level modules; never torch.
"""
