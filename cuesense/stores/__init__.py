"""Results that are kept on disk while a run goes on: one run a folder, each file whole and marked with its settings.

May import the files at the top level.
"""
