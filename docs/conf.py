import sys
from pathlib import Path

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

import densing_bayes
from densing_bayes.inputs.specification import load_spec
from densing_bayes.joint.variables import listed

sys.path.insert(0, str(Path(__file__).parent))
from tutorial_notebook import write_notebook

logger = logging.getLogger(__name__)
here = Path(__file__).parent

project = "densing_bayes"
author = "The densing_bayes developers"
copyright = f"{author}. Apache-2.0"
release = version = densing_bayes.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "sphinx_gallery.gen_gallery"]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_theme = "pydata_sphinx_theme"
html_title = "densing_bayes"
html_theme_options = {
    "navbar_center": [],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"**": ["pages.html"]}
html_show_sourcelink = False
html_math_renderer = "mathml"

myst_enable_extensions = ["dollarmath", "deflist", "substitution"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # the signatures in the source carry them; numpydoc says the rest
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../analyses/examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",  # all are run
    "capture_repr": ("_repr_html_",),
    "image_srcset": ["2x"],
    "show_signature": False,
    "download_all_examples": False,
    "write_computation_times": False,
    "min_reported_time": 3600,
}

linkcheck_timeout = 20
linkcheck_anchors = False  # of pages that scripts build


# Priors ------------------------------------------------------------------------------------------


def priors(name: str) -> dict[str, str]:
    """Every prior of a specification in words, under its path joined by underscores."""
    return {path.replace(".", "_"): text for path, text in listed(load_spec(name)).items()}


joint = priors("joint")
differing = {
    f"{spec}_{name}": text
    for spec in ("paper", "systems")
    for name, text in priors(spec).items()
    if joint.get(name) != text
}
of_protocols = {
    f"current_{name}": text
    for name, text in priors("current").items()
    if name.startswith("performance_protocols_")
}
myst_substitutions = joint | differing | of_protocols


def check_complete(app: Sphinx) -> None:
    """Warn of priors and public names that the pages leave out."""
    pages = {
        "priors.md": [f"{{{{ {name} }}}}" for name in myst_substitutions],
        "api.md": [f"densing_bayes.{name}\n" for name in densing_bayes.__all__ if name[0] != "_"],
    }
    for page, wanted in pages.items():
        text = (here / page).read_text(encoding="utf-8")
        for name in wanted:
            if name not in text:
                logger.warning("docs/%s leaves out '%s'", page, name.strip())


# Formulas as MathML: browsers show it without a script, so the pages work without a network ------


def visit_math(translator: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    """Write a formula."""
    block = isinstance(node, nodes.math_block)
    try:
        markup = tex2mathml(node.astext(), as_block=block)
    except MathError as error:
        logger.warning("formula: %s", error, location=node)
        markup = translator.encode(node.astext())
    style = "margin: 1rem 0; overflow: auto hidden"
    translator.body.append(f'<div style="{style}">{markup}</div>\n' if block else markup)
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register what this file adds to Sphinx."""
    write_notebook()
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
    app.connect("builder-inited", check_complete)
