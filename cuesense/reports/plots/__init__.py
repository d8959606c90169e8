"""Charts of profiles and audits as axes of matplotlib, for notebooks and papers.

May import everything below reports, and the words and positions that its pages use; matplotlib where it is installed.
"""
