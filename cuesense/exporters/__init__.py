"""Plug-ins that write a policy in another library's words: ``export(policy, size) -> text``.

``size`` is the network's input as (height, width) in pixels, or None where nobody knows it.
"""
