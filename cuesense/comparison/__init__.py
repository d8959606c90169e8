"""Compare two profiles, and hold a profile to its limits in CI.

May import predictions, schemas, stats, tables and the top-level modules; never torch.
"""
