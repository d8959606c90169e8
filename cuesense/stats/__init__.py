"""Counts, rates, intervals and tests on NumPy arrays.

May import the small files only; never torch.
"""
