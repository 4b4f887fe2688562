"""Bring the docstrings of the package into the form that the reference renders."""

import ast
import re
from typing import Any

import griffe


class ReferenceDocstrings(griffe.Extension):
    """`Example:` sections become code, and a pydantic field's description becomes its docstring."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called for every module, class, function and attribute before its docstring is parsed."""
        if obj.docstring:  # the parser knows the plural only
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
        value = getattr(obj, "value", None)
        if isinstance(value, griffe.ExprCall) and value.canonical_path == "pydantic.Field":
            for argument in list(value.arguments):
                if isinstance(argument, griffe.ExprKeyword) and argument.name == "description":
                    value.arguments.remove(argument)
                    obj.docstring = griffe.Docstring(ast.literal_eval(str(argument.value)), parent=obj)
