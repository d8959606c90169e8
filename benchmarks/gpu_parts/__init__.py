"""What ``benchmarks/gpu.py`` measures: pixels, forward passes, perturbations, whole runs and cues on one device."""
