"""Turn predictions into a profile: counts, evidence for each cue, the verdict on each class.

May import policies, predictions, schemas, perturbations' tables, stats, tables, the comparison of names in
datasets and the top-level modules; never torch.
"""
