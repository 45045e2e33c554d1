"""A plug-in that cannot be loaded: whoever does not ask for it never notices."""

raise RuntimeError("this module is broken on purpose")
