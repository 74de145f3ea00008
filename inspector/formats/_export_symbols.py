"""Symbolic sizes as torch.export writes them (SymPy's constructor notation) in plain arithmetic."""

from __future__ import annotations

import re

TOKEN = re.compile(r"\s*(?:(-?\d+(?:\.\d+)?)|'([^'\\]*)'|([A-Za-z_][\w.]*)|([(),=]))")
DEPTH = 50
LONGEST = 20_000

INFIX = {
    "Add": (1, " + "), "Mul": (2, "*"), "FloorDiv": (2, "//"), "CleanDiv": (2, "//"), "IntTrueDiv": (2, "/"),
    "FloatTrueDiv": (2, "/"), "Mod": (2, " % "), "PythonMod": (2, " % "), "Pow": (3, "**"), "PowByNatural": (3, "**"),
}  # fmt: skip
"""Precedence and sign of the functions that people write between their arguments."""

WRAPPERS = frozenset({"Symbol", "Integer", "Float", "Dummy", "ToFloat", "TruncToInt", "Identity"})


class _NotNotationError(ValueError):
    """The text is not in constructor notation."""


def plain(text: str) -> str:
    """`Add(Symbol('s53', integer=True), Integer(-2))` as `s53 - 2`; other texts come back as they are.

    Older versions write plain arithmetic already.
    """
    if "(" not in text or len(text) > LONGEST:
        return text[:LONGEST]
    try:
        parser = _Parser(text)
        result = parser.term(0)[0]
        return text if parser.rest() else result
    except _NotNotationError:
        return text


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def rest(self) -> str:
        return self._text[self._at :].strip()

    def _next(self) -> tuple[str, str]:
        match = TOKEN.match(self._text, self._at)
        if match is None:
            raise _NotNotationError
        self._at = match.end()
        kind = ("number", "string", "name", "sign")[(match.lastindex or 1) - 1]
        return kind, match[match.lastindex or 1]

    def _peek(self) -> str:
        match = TOKEN.match(self._text, self._at)
        return match[match.lastindex or 1] if match else ""

    def term(self, depth: int) -> tuple[str, int]:
        """The next term and how tightly it binds: 9 for a name or number."""
        kind, word = self._next()
        if depth > DEPTH or kind == "sign":
            raise _NotNotationError
        if kind != "name" or self._peek() != "(":
            return word, 9
        self._next()
        return _call(word, self._arguments(depth + 1))

    def _arguments(self, depth: int) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        while self._peek() != ")":
            term = self.term(depth)
            if self._peek() == "=":  # an assumption of the symbol, such as positive=True
                self._next()
                self.term(depth)
            else:
                found.append(term)
            if self._peek() == ",":
                self._next()
        self._next()
        return found


def _call(name: str, arguments: list[tuple[str, int]]) -> tuple[str, int]:
    name = name.rpartition(".")[2]
    if name in WRAPPERS and arguments:
        return arguments[0]
    if name == "Rational" and len(arguments) == 2:
        name = "IntTrueDiv"
    if name not in INFIX or len(arguments) < 2:
        return f"{name}({', '.join(words for words, _ in arguments)})", 9
    binding, sign = INFIX[name]
    if name == "Mul" and arguments[0][0] == "-1":
        rest = _call("Mul", arguments[1:]) if len(arguments) > 2 else arguments[1]
        return f"-{_wrapped(*rest, 3)}", 2
    if name == "Add":
        words = [term if level > 1 else f"({term})" for term, level in arguments]
        return " + ".join(words).replace("+ -", "- "), binding
    first, others = arguments[0], arguments[1:]
    # -a//2 is (-a)//2, which must not become a subtrahend.
    loose = name == "Mul" or not first[0].startswith("-")
    words = [_wrapped(*first, binding if loose else 10), *(_wrapped(*other, binding + 1) for other in others)]
    return sign.join(words), binding


def _wrapped(term: str, level: int, needed: int) -> str:
    return term if level >= needed and not (term.startswith("-") and needed > 2) else f"({term})"
