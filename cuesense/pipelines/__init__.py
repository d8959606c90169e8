"""A user's own training transform as perturbations: the whole, each of its steps alone, and the whole without a step.

May import perturbations, models and the top-level modules.
"""
