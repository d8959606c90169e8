"""The joint model of the verdict: networks it is fitted on, their kept predictions, the fit, and how good it is.

``benchmarks/cue_worlds.py`` and ``benchmarks/cue_model.py`` are the commands. May import ``benchmarks.families``,
``benchmarks.outside``, ``benchmarks.networks`` and ``benchmarks.labels``.
"""
