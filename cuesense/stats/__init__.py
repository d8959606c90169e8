"""Counts, rates, intervals and tests on NumPy arrays.

May import the top-level modules only; never torch.
"""
