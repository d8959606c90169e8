"""The command line: one file a command, which parses, calls a workflow and prints.

May import everything below it; heavy modules are imported inside the commands, so that ``--help`` is quick.
"""
