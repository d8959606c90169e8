"""Turn a profile into safe augmentations: budgets for each class, policies for all of them, what they cost.

May import predictions, schemas, stats and the top-level modules; never torch.
"""
