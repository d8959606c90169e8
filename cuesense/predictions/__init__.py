"""The predicted class of every image under every condition: in memory, in shards on disk, as a table.

May import stats, stores, tables, perturbations' tables, the comparison of names in datasets and the top-level
modules; never torch.
"""
