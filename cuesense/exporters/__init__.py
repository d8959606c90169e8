"""An augmentation policy as code or configuration for another library: one file a library, ``export(policy, size)``.

``size`` is the network's input as (height, width) in pixels, or None where it is not known. ``common.py`` turns a
policy into steps with ranges in units that every library knows; each library's file is a table from a kind of step to
its call. A new library is a file with such a table and a line in ``cuesense/registry.py``. Nothing here imports the
library that it writes for. May import policies and what is below it.
"""
