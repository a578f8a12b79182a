"""The pages of the reference, made from the code at every build, so that they can't say anything else.

`tests/rules/test_docs.py` holds them against the code another way.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference.api import api_page
from reference.commands import commands_page
from reference.errors import errors_page
from reference.library import library_page
from reference.metrics import metrics_page
from reference.settings import settings_page

PAGES: dict[str, Callable[[], str]] = {
    "settings": settings_page,
    "api": api_page,
    "errors": errors_page,
    "metrics": metrics_page,
    "commands": commands_page,
    "library": library_page,
}
"""By the name of the file in `docs/reference`."""


def write(app: Any) -> None:
    """Write every page whose text has changed, so that Sphinx reads only those anew."""
    for name, page in PAGES.items():
        path, text = Path(app.srcdir, "reference", f"{name}.md"), page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
