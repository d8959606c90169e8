"""Tables and lines for the terminal.

May import what reports may.
"""
