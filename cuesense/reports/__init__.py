"""Turn results into something to look at: pages (``html``), terminal tables (``terminal``), SVG figures (``charts``).

``text`` formats numbers and names for all of them; ``profile_text``, ``audit_text`` and ``gate_text`` hold the
sentences that more than one of them shows.

May import policies, sweeps, comparison, schemas, stats and the top-level modules.
"""
