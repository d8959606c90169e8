"""Markdown for pull requests, job summaries and model cards: GitHub's dialect, with all text from outside escaped.

May import what reports may.
"""
