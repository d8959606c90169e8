"""Table files: one boundary for reading CSV and Parquet, and one way of writing CSV.

What is wrong with a file becomes one sentence here, whatever a library raises. May import the top-level modules only;
never torch.
"""
