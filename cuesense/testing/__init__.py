"""Checks for what users add to cuesense; ``check_perturbation`` holds a perturbation against the contract of all.

May import everything but the workflows and the command line.
"""

from cuesense.testing.perturbations import check_perturbation

__all__ = ["check_perturbation"]
