"""Evidence that does not come from the analysis: single-cue images and manipulations that it does not use."""
