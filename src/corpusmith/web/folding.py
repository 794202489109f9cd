"""What of a template is known before any page is made of it.

Owns: putting that in its place when a template is read. Does not own: what is known (`render.py`).
A page says a hundred texts and shows thirty icons, and most of them are always the same: said once,
they are a part of what stands around them, and cost a page nothing. And it calls some hundred
macros and functions, none of which asks for the template's context: they are called as Python
calls, which takes a quarter off the making of a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from keyword import iskeyword
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer

Known = Mapping[str, Callable[..., Any]]
"""By the name that a template calls: what it returns for constants; None: that is not known yet."""


class _Plainly(CodeGenerator):
    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        odd = node.dyn_args or node.dyn_kwargs or any(iskeyword(one.key) for one in node.kwargs)
        if odd:
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node, frame)
        self.write("(")
        for one in (*node.args, *node.kwargs):
            self.visit(one, frame)
            self.write(", ")
        self.write("caller=caller)" if forward_caller else ")")


class FoldingEnvironment(Environment):
    """Templates whose calls of `known` functions with constants are made when they are read. No
    function that they call may ask for the context or the environment (`pass_context`, …)."""

    code_generator_class = _Plainly
    known: Known = MappingProxyType({})

    def compile(self, source: Any, *args: Any, **options: Any) -> Any:
        if isinstance(source, str):
            tree = self.parse(source, *args[:2])
            source = _Folding(self.known).visit(tree)
        return super().compile(source, *args, **options)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        # No template has globals of its own, and a chain of maps is slow to copy and to compare:
        # each `import` of a page does both.
        return self.globals if not d else super().make_globals(d)


class _Folding(NodeTransformer):
    def __init__(self, known: Known) -> None:
        self._known = known

    def visit_Call(self, call: nodes.Call) -> nodes.Node:
        self.generic_visit(call)
        find = self._known.get(_name_of(call.node))
        constants = [one.value for one in call.args if isinstance(one, nodes.Const)]
        more = call.kwargs or call.dyn_args or call.dyn_kwargs or len(constants) < len(call.args)
        found = None if find is None or more else find(*constants)
        return call if found is None else nodes.Const(found, lineno=call.lineno)


def _name_of(called: nodes.Expr) -> str:
    """`name`, or `part.name`; empty: what is called has no name."""
    if isinstance(called, nodes.Name):
        return called.name
    if isinstance(called, nodes.Getattr) and isinstance(called.node, nodes.Name):
        return f"{called.node.name}.{called.attr}"
    return ""
