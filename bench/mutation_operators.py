"""The changes that a mutation test makes to a module: found in its syntax tree, made one at a time.

Only what runs when a check judges is changed, that is code inside functions. A change is a place in the tree and what
stands there instead, so that the tree is changed, compiled and put back for each.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import TypeAlias

Codes: TypeAlias = dict[tuple[str, int], CodeType]
"""Code of functions by qualified name and first line."""

SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
QUANTIFIERS = {"any": "all", "all": "any"}
PROBE = "__mutation_probe__"
"""The builtin that instrumented code calls when it comes by a place that can be changed."""


@dataclass(frozen=True)
class Slot:
    """A place in a syntax tree inside a function: a field of ``parent``, or an entry of the list that the field is."""

    function: str
    """Qualified: Class.method, or outer.inner."""
    parent: ast.AST
    name: str
    index: int | None

    @property
    def node(self) -> ast.AST:
        """What stands there."""
        value = getattr(self.parent, self.name)
        found: ast.AST = value if self.index is None else value[self.index]
        return found

    def put(self, node: ast.AST) -> None:
        """Put ``node`` there."""
        if self.index is None:
            setattr(self.parent, self.name, node)
        else:
            getattr(self.parent, self.name)[self.index] = node


@dataclass(frozen=True)
class Mutant:
    """One change: ``operator`` names its kind."""

    file: str
    function: str
    line: int
    column: int
    operator: str
    change: str
    """Old and new code on one line. With file and function it is a name that moved lines do not alter."""
    source: str
    """The line of the file."""
    place: int
    """The number of its slot in the module."""
    replacement: ast.AST = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Where it is and what kind it is."""
        return f"{self.file}:{self.line}:{self.column} {self.operator}"


class Module:
    """A file below ``root`` with its mutants, in the order of the source.

    Raises OSError when it cannot be read and SyntaxError when it is no Python.
    """

    def __init__(self, root: Path, file: str) -> None:
        self.file = file
        self.path = str((root / file).resolve())
        self.text = Path(self.path).read_text()
        self.tree = ast.parse(self.text)
        self.slots = list(slots_in(self.tree))
        self.mutants: list[Mutant] = []
        lines = self.text.splitlines()
        for place, slot in enumerate(self.slots):
            old, line, column = slot.node, slot.node.lineno, slot.node.col_offset + 1  # type: ignore[attr-defined]
            for change, (operator, new) in {ast.unparse(new): (name, new) for name, new in changes(slot)}.items():
                text = " ".join(f"{ast.unparse(old)} -> {change}".split())
                self.mutants.append(
                    Mutant(file, slot.function, line, column, operator, text, lines[line - 1].strip(), place, new)
                )

    def mutated(self, mutant: Mutant) -> Codes:
        """The functions of the module with this change."""
        slot = self.slots[mutant.place]
        original = slot.node
        slot.put(mutant.replacement)
        try:
            return codes_of(self.tree, self.path)
        finally:
            slot.put(original)

    def instrumented(self, first: int) -> Codes:
        """The functions, which call PROBE with ``first`` + the number of each slot of a mutant that they come by."""
        tree = ast.parse(self.text)
        used = {mutant.place for mutant in self.mutants}
        probed = {slot.node: first + n for n, slot in enumerate(slots_in(tree)) if n in used}
        return codes_of(_Probes(probed).of(tree), self.path)


def codes_of(tree: ast.Module, path: str) -> Codes:
    """Compile a module; the code of all its functions, methods and lambdas."""
    found: Codes = {}
    waiting = [compile(tree, path, "exec")]
    while waiting:
        code = waiting.pop()
        found[code.co_qualname, code.co_firstlineno] = code
        waiting += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return found


def slots_in(node: ast.AST, function: str = "", scope: str = "") -> Iterator[Slot]:
    """The places inside the functions of a tree; not decorators, defaults and annotations, which run on import."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        scope = f"{scope}.{node.name}".lstrip(".")
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = scope
    elif isinstance(node, ast.Lambda):
        function = function or "<lambda>"
    inside_only = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns") or (inside_only and name != "body"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                if function and isinstance(child, ast.expr | ast.stmt):
                    yield Slot(function, node, name, index)
                yield from slots_in(child, function, scope)


def changes(slot: Slot) -> Iterator[tuple[str, ast.AST]]:
    """The kinds of changes that can be made at a place, each with what stands there then."""
    for operator, new in _changes(slot):
        if not hasattr(new, "lineno"):
            ast.fix_missing_locations(ast.copy_location(new, slot.node))
        yield operator, new


def _changes(slot: Slot) -> Iterator[tuple[str, ast.AST]]:
    node, parent = slot.node, slot.parent
    match node:
        case ast.Assert() | ast.Raise():
            yield f"drop-{type(node).__name__.lower()}", ast.Pass()
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="skip"))):
            yield "drop-skip", ast.Pass()
        case ast.Attribute(value=ast.Name(id="pytest") as module, attr="skip", ctx=context):
            yield "skip-to-fail", ast.Attribute(module, "fail", context)
        case ast.BoolOp(op=operator, values=operands):
            for dropped in range(len(operands)):
                if is_default(slot, operands[dropped]):
                    continue
                kept = [operand for number, operand in enumerate(operands) if number != dropped]
                yield "drop-operand", kept[0] if len(kept) == 1 else ast.BoolOp(operator, kept)
        case ast.Compare(left=left, ops=comparisons, comparators=comparators):
            for number, comparison in enumerate(comparisons):
                swapped = [*comparisons[:number], SWAPPED[type(comparison)](), *comparisons[number + 1 :]]
                yield "swap-comparison", ast.Compare(left, swapped, comparators)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "drop-not", operand
        case ast.Name(id=name) if name in QUANTIFIERS and isinstance(parent, ast.Call) and slot.name == "func":
            yield "swap-any-all", ast.Name(QUANTIFIERS[name], ast.Load())
        case ast.Constant(value=bool() as value) if isinstance(parent, ast.Return):
            yield "swap-constant", ast.Constant(not value)
    if isinstance(parent, ast.comprehension) and slot.name == "ifs":
        yield "negate-filter", negated(node)
        yield "drop-filter", ast.Constant(True)
    elif isinstance(parent, ast.If | ast.While | ast.IfExp | ast.Assert) and slot.name == "test":
        yield f"negate-{type(parent).__name__.lower()}", negated(node)
        if isinstance(parent, ast.If):
            yield "drop-if", ast.Constant(False)


def is_default(slot: Slot, operand: ast.expr) -> bool:
    """Whether an operand is no condition but what stands for a missing value: the empty literal of ``x or ()``."""
    last = slot.node.values[-1] if isinstance(slot.node, ast.BoolOp) and isinstance(slot.node.op, ast.Or) else None
    return operand is last and ast.unparse(operand) in ("()", "[]", "{}", "''", "0", "None")


def negated(node: ast.AST) -> ast.AST:
    """The contrary of an expression, as a person would write it: the swapped comparison where there is one."""
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return operand
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() | ast.In() | ast.NotIn() | ast.Is() | ast.IsNot() as operator],
                         comparators=comparators):  # fmt: skip
            return ast.Compare(left, [SWAPPED[type(operator)]()], comparators)
    assert isinstance(node, ast.expr)
    return ast.UnaryOp(ast.Not(), node)


class _Probes(ast.NodeTransformer):
    """Puts a call of PROBE around the nodes that have a number."""

    def __init__(self, numbers: Mapping[ast.AST, int]) -> None:
        self.numbers = numbers

    def of(self, tree: ast.Module) -> ast.Module:
        """The module, changed."""
        self.generic_visit(tree)
        return ast.fix_missing_locations(tree)

    def visit(self, node: ast.AST) -> ast.AST:
        number = self.numbers.get(node)
        self.generic_visit(node)
        if number is None:
            return node
        function = ast.Name(PROBE, ast.Load())
        if isinstance(node, ast.stmt):
            probe = ast.Call(function, [ast.Constant(number), ast.Constant(True)], [])
            return ast.copy_location(ast.If(probe, [node], []), node)
        assert isinstance(node, ast.expr)
        return ast.copy_location(ast.Call(function, [ast.Constant(number), node], []), node)
