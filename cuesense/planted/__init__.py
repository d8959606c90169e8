"""The planted world: images whose class cues are known by construction, and a small network for them."""
