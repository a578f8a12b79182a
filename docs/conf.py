"""How the documentation is built: `make docs`. Warnings are errors, and a link that leads nowhere is a warning."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Esclusa"
author = "The Esclusa authors"
project_copyright = author
version = release = metadata.version("esclusa")

extensions = ["myst_parser", "reference"]
exclude_patterns = ["_build", "_ext"]
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"Esclusa {release}"
html_copy_source = False
html_show_sphinx = False
html_static_path: list[str] = []
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
