"""MkDocs hook: formulas become MathML when the site is built, so that its pages load no script from elsewhere."""

import re
from html import unescape
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError

FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\(?P<kind>[(\[])(?P<latex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL
)
NAMED_FUNCTION = re.compile(r"(<mi>(?:cos|log|max|min|sin)</mi>)(?!<mo)")


def on_page_content(html: str, **_: Any) -> str:
    """Replace the formulas of a page, as pymdownx.arithmatex left them."""
    return FORMULA.sub(_to_mathml, html)


def _to_mathml(found: re.Match[str]) -> str:
    markup = convert(unescape(found["latex"]).strip(), display="block" if found["kind"] == "[" else "inline")
    if "\\" in markup:  # a command that the converter does not know is left as it is
        raise PluginError(f"this formula has a command that MathML was not made of: {found['latex']}")
    spaced = NAMED_FUNCTION.sub(r'\1<mspace width="0.17em"/>', markup)
    return f'<{found["tag"]} class="arithmatex">{spaced}</{found["tag"]}>'
