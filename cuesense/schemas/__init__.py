"""The JSON contracts, one file each on one base: profile, audit, comparison, gate, verification.

A new field goes last in its model, with a default and a description; then ``python -m cuesense.schemas`` writes the
JSON Schemas in ``assets/``. May import stats and the top-level modules; never torch.
"""
