"""What every image was taken for under every condition: in memory, in shards on disk, as a table.

May import stats, perturbations' tables and the small files; never torch.
"""
