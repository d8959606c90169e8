"""The predicted class of every image under every condition: in memory, in shards on disk, as a table.

May import datasets, tables, stats, perturbations' tables and the top-level modules; never torch.
"""
