"""Compare two profiles, and hold a profile to its limits in CI.

May import predictions, schemas, stats, stores, tables, the comparison of names in datasets and the top-level
modules; never torch.
"""
