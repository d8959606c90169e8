"""Train networks and fit linear heads, and keep what they predict.

May import inference, policies, predictions, schemas, datasets, models, perturbations and the top-level modules.
"""
