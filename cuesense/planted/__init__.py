"""Synthetic images whose class cues are known by construction, for tests, benchmarks and the demo.

May import the top-level modules only.
"""
