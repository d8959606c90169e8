"""Figures as SVG text: ``audit_*`` for an audit, ``forecast_outcome`` for a verification, the others for a profile.

Figures inside a page take their colors from its style sheet, by class names. May import what reports may.
"""
