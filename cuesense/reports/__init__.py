"""Turn results into something to look at: pages (``html``), terminal tables (``terminal``), SVG figures (``charts``).

May import policies, sweeps, comparison, schemas, stats and the small files.
"""
