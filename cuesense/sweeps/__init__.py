"""Compare many trained runs of one regularizer: accuracy by class and strength, losses, the choice of a strength.

May import schemas, stats, tables and the top-level modules; never torch.
"""
