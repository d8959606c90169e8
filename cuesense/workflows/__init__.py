"""One file for each job of a user: the only rooms that bring networks, files and reports together.

May import everything but the command line.
"""
