"""The JSON contracts: profile, audit, comparison, gate, verification, on one base.

May import stats and the small files; never torch.
"""
