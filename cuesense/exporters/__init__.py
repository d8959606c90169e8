"""Write a policy in the words of another library: one file for each, ``export(policy, size) -> text``.

``size`` is the network's input as (height, width) in pixels, or None where it is not known. May import policies and
what is below it.
"""
