"""What ``benchmarks/fuzz.py`` is made of: good files of every kind, ways to damage them, and the readers to feed."""
