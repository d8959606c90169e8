"""Figures as SVG text.

May import what reports may.
"""
