"""The changes: from the text of a file to its mutants, each a replaced piece of that text.

Left alone are what is no behaviour (annotations, docstrings, decorators, ``TYPE_CHECKING`` blocks, imports,
``__all__``), the inside of f-strings, which are messages, and ``strict=`` of ``zip``, which is an assertion. Strings
are never changed: messages are not worth a mutant for every word.
"""

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
OPPOSITES = {"min": "max", "any": "all", "argmin": "argmax", "minimum": "maximum", "floor": "ceil", "first": "last"}
OPPOSITES |= {after: before for before, after in OPPOSITES.items()}
PLAIN = ast.Name | ast.Attribute | ast.Call
"""Conditions that no other operator changes."""

Change = tuple[ast.AST, str, str] | tuple[ast.AST, str, str, str]


@dataclass(frozen=True)
class Mutant:
    """One change: the bytes ``start`` to ``end`` of a file become ``after``."""

    file: str
    line: int
    text: str
    """The line as it stands, without its indentation."""
    operator: str
    start: int
    end: int
    after: str
    statement: tuple[int, int]
    """First and last line of the statement that it is in; of one with a body, its head."""
    change: str
    """What was done, in one line, as the table of equal mutants names it."""
    nth: int = 1
    """Which of the file's changes with this text of the line and this change, from 1."""

    @property
    def room(self) -> str:
        """The room of the package that the file is in."""
        return self.file.removeprefix("src/litotes/").partition("/")[0]

    def applied(self, source: bytes) -> bytes:
        """The whole file with the change made."""
        return source[: self.start] + self.after.encode() + source[self.end :]


def mutants(source: bytes, file: str) -> list[Mutant]:
    """All mutants of one file, in the order of its text; each compiles."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    found, statements = [], _statement_lines(ast.parse(source))
    for node, operator, after, *said in _walk(ast.parse(source)):
        start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        change = said[0] if said else " ".join(f"{source[start:end].decode()} -> {after}".split())
        text = lines[node.lineno - 1].decode().strip()
        mutant = Mutant(file, node.lineno, text, operator, start, end, after, statements[node.lineno], change)
        if _compiles(mutant.applied(source)):
            found.append(mutant)
    found.sort(key=lambda mutant: (mutant.start, mutant.end, mutant.operator, mutant.after))
    return list(_counted(found))


def _walk(node: ast.AST) -> Iterator[Change]:
    """Every node below ``node`` that can be changed: node, operator, what to put in its place, how to say it."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield from _of_statement(node)
    yield from _of_expression(node)
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list") or _is_no_behaviour(node, name):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr | ast.Import | ast.ImportFrom):
                yield from _walk(child)


def _is_no_behaviour(node: ast.AST, field: str) -> bool:
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return True
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"


def _statement_lines(tree: ast.Module) -> dict[int, tuple[int, int]]:
    """First and last line of the innermost statement at each line."""
    spans: dict[int, tuple[int, int]] = {}
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.excepthandler)]
    for node in sorted(statements, key=lambda node: node.lineno - node.end_lineno):  # the longest first
        body = getattr(node, "body", None)
        last = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno
        spans |= dict.fromkeys(range(node.lineno, last + 1), (node.lineno, last))
    return spans


def _counted(found: list[Mutant]) -> Iterator[Mutant]:
    """The same, with those that read the same told apart."""
    seen: Counter[tuple[str, str]] = Counter()
    for mutant in found:
        seen[mutant.text, mutant.change] += 1
        yield replace(mutant, nth=seen[mutant.text, mutant.change])


def _of_statement(node: ast.AST) -> Iterator[Change]:
    if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)) or isinstance(node, ast.Raise):
        yield node, "statement", "pass", "left out"
    elif isinstance(node, ast.Break | ast.Continue):
        yield node, "jump", "continue" if isinstance(node, ast.Break) else "break"
    elif isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield node.value, "return", "None", "return None"
    elif isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        yield node, "arithmetic", ast.unparse(_with(node, op=ARITHMETIC[type(node.op)]()))
    elif isinstance(node, ast.If | ast.While | ast.IfExp) and isinstance(
        node.test, ast.Name | ast.Attribute | ast.Call
    ):
        yield node.test, "condition", f"(not {ast.unparse(node.test)})"


def _of_expression(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            swapped = [*node.ops[:place], COMPARISONS[type(operator)](), *node.ops[place + 1 :]]
            yield node, "comparison", _grouped(_with(node, ops=swapped))
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield node, "arithmetic", _grouped(_with(node, op=ARITHMETIC[type(node.op)]()))
    elif isinstance(node, ast.BoolOp):
        yield node, "boolean", _grouped(_with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And()))
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.UAdd):
        yield node, "not, minus", _grouped(node.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        yield node, "constant", repr(_other(node.value))
    elif isinstance(node, ast.Call):
        for place, word in enumerate(node.keywords):
            if word.arg not in (None, "strict"):
                rest = [*node.keywords[:place], *node.keywords[place + 1 :]]
                yield node, "keyword", ast.unparse(_with(node, keywords=rest)), f"{word.arg}= left out"
        if isinstance(node.func, ast.Name) and node.func.id in OPPOSITES:
            yield node.func, "opposite", OPPOSITES[node.func.id]
        elif isinstance(node.func, ast.Attribute) and node.func.attr in OPPOSITES:
            yield node.func, "opposite", ast.unparse(_with(node.func, attr=OPPOSITES[node.func.attr]))


def _other(value: bool | int | float) -> bool | int | float:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) or not value else value * 2


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _grouped(node: ast.AST) -> str:
    return f"({ast.unparse(node)})"


def _compiles(source: bytes) -> bool:
    try:
        compile(source, "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True
