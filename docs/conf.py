"""How the documentation is built."""

from flowdeco import __version__

project = "flowdeco"
author = "flowdeco contributors"
copyright = "2026, flowdeco contributors"  # noqa: A001 - the name is Sphinx's
release = __version__
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]

source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# A name in single backticks in a docstring is a link where there is something to link to.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"flowdeco {release}"
pygments_style = "default"
