"""The public surface is a decision: every public name and signature stands in public_surface.txt.

`python tests/unit/test_public_surface.py` writes the file anew; commit it with the change that caused it.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import crmcore

SNAPSHOT = Path(__file__).with_name("public_surface.txt")


def public_modules() -> Iterator[ModuleType]:
    """Every module without an underscore in its name, in the order of the names."""
    yield crmcore
    found = pkgutil.walk_packages(crmcore.__path__, "crmcore.")
    for name in sorted(m.name for m in found if not any(part.startswith("_") for part in m.name.split("."))):
        yield importlib.import_module(name)


def signature(thing: object) -> str:
    """Signature without addresses and without what differs between versions of Python."""
    if isinstance(thing, type) and not inspect.isfunction(thing.__init__):
        return ""  # inherited from the interpreter, whose signatures differ between versions
    try:
        said = str(inspect.signature(thing))
    except (TypeError, ValueError):
        return ""
    return re.sub(r" at 0x[0-9a-f]+", "", said).replace("pathlib._local.", "pathlib.")


def members(kind: type) -> Iterator[str]:
    """Lines of what a class offers: its own, and what it takes from other classes of crmcore."""
    if issubclass(kind, enum.Enum):
        yield from (f"    {m.name} = {m.value!r}" for m in kind)
        return
    ours = [c for c in kind.__mro__ if c is kind or c.__module__.startswith("crmcore.")]
    offered = {n: m for c in reversed(ours) for n, m in vars(c).items()}
    for name, member in sorted(offered.items()):
        if name.startswith("_"):
            continue
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if inspect.isfunction(plain):
            yield f"    {name}{signature(plain)}"
        elif isinstance(plain, property):
            yield f"    {name}: property"


def lines() -> Iterator[str]:
    """Lines of the snapshot."""
    for module in public_modules():
        names = sorted(getattr(module, "__all__", ()))
        own = [n for n in names if getattr(getattr(module, n), "__module__", module.__name__) == module.__name__]
        yield f"{module.__name__}: {', '.join(names)}"
        for name in own:
            thing = getattr(module, name)
            if isinstance(thing, type):
                yield f"  class {name}{'' if issubclass(thing, enum.Enum) else signature(thing)}"
                yield from members(thing)
            elif callable(thing):
                yield f"  {name}{signature(thing)}"


def test_the_public_surface_is_the_one_that_was_decided() -> None:
    kept = SNAPSHOT.read_text(encoding="utf-8").splitlines() if SNAPSHOT.exists() else []
    now = list(lines())
    gone = [line for line in kept if line not in set(now)]
    new = [line for line in now if line not in set(kept)]
    assert (gone, new) == ([], []), "run python tests/unit/test_public_surface.py and commit public_surface.txt"


def test_every_public_name_exists_and_tables_of_contents_are_short() -> None:
    for module in public_modules():
        names = getattr(module, "__all__", ())
        own = [n for n, t in vars(module).items() if getattr(t, "__module__", "") == module.__name__ and n[0] != "_"]
        assert names or not own, f"{module.__name__} has no __all__"
        missing = [n for n in names if not hasattr(module, n)]
        assert not missing, f"{module.__name__} lists {missing}"
        if hasattr(module, "__path__"):
            assert len(names) <= 30, f"{module.__name__} lists {len(names)} names"


def test_every_public_function_and_class_has_a_docstring() -> None:
    bare = [
        f"{module.__name__}.{name}"
        for module in public_modules()
        for name in getattr(module, "__all__", ())
        if isinstance(thing := getattr(module, name), type) or inspect.isfunction(thing)
        if not inspect.getdoc(thing)
    ]
    assert not bare


if __name__ == "__main__":
    SNAPSHOT.write_text("\n".join(lines()) + "\n", encoding="utf-8")
    sys.stdout.write(f"{SNAPSHOT.name}: {len(SNAPSHOT.read_text(encoding='utf-8').splitlines())} lines\n")
