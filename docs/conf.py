"""Sphinx configuration."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

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
# modules are the sections of a page of the reference; with every member among them each page would carry thousands
toc_object_entries = False

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
        lines = [f"# {page}", ""]
        for name in sorted(modules):
            # a table of contents shows its docstring only: each name is documented where it is defined
            contents = hasattr(importlib.import_module(name), "__path__")
            shown = [f".. automodule:: {name}", *(["   :no-members:"] if contents else [])]
            lines += [*([f"## {name}", ""] if name != page else []), "```{eval-rst}", *shown, "```", ""]
        (folder / f"{page}.md").write_text("\n".join(lines), encoding="utf-8")


class _Prose(SphinxPostTransform):
    """Words of a docstring's type that name nothing stay text.

    "counts by day" stands where a type may stand, so each word is a reference, and Sphinx looks for each among the ends
    of all names that there are.
    """

    default_priority = 5

    def run(self, **_: Any) -> None:
        """Replace references to no name by their text."""
        objects = self.env.domains["py"].objects
        ends = {name.rpartition(".")[2] for name in objects}
        for node in [*self.document.findall(addnodes.pending_xref)]:
            if node.get("refdomain") == "py" and node["reftarget"].rpartition(".")[2] not in ends:
                node.replace_self(node.children)


def setup(app: Any) -> None:
    """Hook the reference into the build."""
    app.connect("builder-inited", _write_reference)
    app.add_post_transform(_Prose)
