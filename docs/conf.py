"""Sphinx configuration."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import crmcore
from crmcore._version import __version__

project = "crmcore"
author = "the crmcore authors"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
# single backticks name a field here, and several classes have fields of one name
suppress_warnings = ["ref.python"]
html_theme = "furo"
html_title = f"crmcore {release}"
html_show_copyright = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": False}
autodoc_preserve_defaults = True
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False


def _pages() -> dict[str, list[str]]:
    """Public modules by the page that shows them: one page for each room, engine and floor."""
    pages: dict[str, list[str]] = {}
    for found in pkgutil.walk_packages(crmcore.__path__, "crmcore."):
        parts = found.name.split(".")
        if any(part.startswith("_") for part in parts) or found.name == "crmcore.idic":
            continue
        pages.setdefault(".".join(parts[: 3 if parts[1] == "idic" else 2]), []).append(found.name)
    return pages


def _write_reference(_app: Any) -> None:
    """Write the reference anew from the modules that there are, so that none is forgotten."""
    folder = Path(__file__).parent / "reference" / "generated"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    for page, modules in sorted(_pages().items()):
        lines = [f"# {page}", "", "```{eval-rst}"]
        for name in sorted(modules):
            # a table of contents shows its docstring only: each name is documented where it is defined
            contents = hasattr(importlib.import_module(name), "__path__")
            lines += [f".. automodule:: {name}", *(["   :no-members:"] if contents else []), ""]
        (folder / f"{page}.md").write_text("\n".join([*lines, "```", ""]), encoding="utf-8")


def setup(app: Any) -> None:
    """Hook the reference into the build."""
    app.connect("builder-inited", _write_reference)
