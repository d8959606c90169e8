"""One file for each job of a user: the only package that brings networks, files and reports together.

May import everything but the command line.
"""
