"""Self-contained pages of a profile and of an audit.

May import what reports may.
"""
