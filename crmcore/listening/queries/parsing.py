"""Reads a query; an error points at the place and proposes the repair."""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

import attrs

from crmcore.errors import CrmError, WrongType
from crmcore.listening.queries.nodes import All, Any, Field, Near, Node, Not, Phrase, Word, positional

__all__ = ["BadQuery", "parse"]

_PIECE = re.compile(
    r"""
    (?P<space>\s+) | (?P<open>\() | (?P<close>\))
    | (?P<near>NEAR/(?P<n>\d+)(?P<f>f?)(?=[\s()]|$))
    | (?P<op>(?:AND|OR|NOT)(?=[\s()]|$))
    | (?P<raw>raw:)?"(?P<phrase>[^"]*)"
    | (?P<rawword>raw:)(?P<rawtext>[^\s()"]+)
    | (?P<field>[a-z_]+):(?!//)(?:"(?P<fquoted>[^"]*)"|(?P<fvalue>[^\s()"]+))
    | (?P<word>[^\s()"]+)
    """,
    re.VERBOSE,
)
_LOOSE = re.compile(r"NEAR(?:/\w*)?", re.IGNORECASE)


@attrs.define(eq=False)
class BadQuery(CrmError, ValueError):
    """A query cannot be read."""

    text: str
    at: int  # position of the character that is wrong
    problem: str
    hint: str

    def __str__(self) -> str:
        line = " ".join(self.text.splitlines()) if "\n" in self.text else self.text
        begin = max(0, self.at - 50)
        shown = line[begin : self.at + 30]
        return f"{self.problem}\n  {shown}\n  {' ' * (self.at - begin)}^\n  hint: {self.hint}"


class _Token(NamedTuple):
    kind: str
    text: str
    at: int
    node: Node | None = None
    words: int = 0
    ordered: bool = False


def _tokens(text: str) -> list[_Token]:
    found, at = list[_Token](), 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise BadQuery(text, at, "a quotation mark is not closed.", 'close it with ", or leave it out')
        kind = piece.lastgroup or ""
        if piece["space"] is None:
            found.append(_token(text, piece, at, kind))
        at = piece.end()
    return found


def _token(text: str, piece: re.Match[str], at: int, kind: str) -> _Token:
    if piece["near"]:
        return _Token("near", piece["near"], at, None, int(piece["n"]), bool(piece["f"]))
    if piece["op"] or piece["open"] or piece["close"]:
        return _Token(piece[0], piece[0], at)
    if piece["phrase"] is not None:
        first, *rest = piece["phrase"].split() or [""]
        if not first:
            raise BadQuery(text, at, "a phrase is empty.", "put words between the quotation marks")
        raw = bool(piece["raw"])
        return _Token("term", piece[0], at, Phrase((first, *rest), raw) if rest else Word(first, raw))
    if piece["rawword"]:
        return _Token("term", piece[0], at, Word(piece["rawtext"], raw=True))
    if piece["field"]:
        value = piece["fquoted"] if piece["fquoted"] is not None else piece["fvalue"]
        return _Token("term", piece[0], at, Field(piece["field"], value))
    word = piece["word"]
    if word in ("and", "or", "not"):
        hint = f"write {word.upper()} for the operator, or put the word into quotation marks"
        raise BadQuery(text, at, f"{word!r} may be a word or an operator.", hint)
    if _LOOSE.fullmatch(word):
        raise BadQuery(text, at, "NEAR needs a number of words.", "write NEAR/5, or NEAR/5f where the left comes first")
    if set(word) <= {"*", "?"}:
        raise BadQuery(text, at, "a wildcard stands alone.", "add letters to it: refund*")
    return _Token("term", word, at, Word(word))


class _Reader:
    """Recursive descent: OR binds loosest, then AND, then NOT, then NEAR."""

    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.i = text, _tokens(text), 0

    def peek(self) -> _Token:
        return self.tokens[self.i] if self.i < len(self.tokens) else _Token("end", "", len(self.text))

    def take(self) -> _Token:
        token = self.peek()
        self.i += 1
        return token

    def fail(self, token: _Token, problem: str, hint: str) -> NoReturn:
        raise BadQuery(self.text, token.at, problem, hint)

    def whole(self) -> Node:
        if not self.tokens:
            raise BadQuery(self.text, 0, "the query is empty.", "write at least one word")
        found = self.either()
        token = self.peek()
        if token.kind == ")":
            self.fail(token, "a bracket is closed that was never opened.", "remove it, or open one before")
        return found

    def either(self) -> Node:
        parts = [self.both()]
        while self.peek().kind == "OR":
            self.take()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Any(_flat(parts, Any))

    def both(self) -> Node:
        parts = [self.negated()]
        while True:
            token = self.peek()
            if token.kind == "AND":
                self.take()
                parts.append(self.negated())
            elif token.kind == "NOT":  # a NOT b: a and not b
                parts.append(self.negated())
            elif token.kind in ("term", "("):
                hint = "write AND or OR between them, or quotation marks around a phrase"
                self.fail(token, "two terms stand side by side.", hint)
            else:
                break
        return parts[0] if len(parts) == 1 else All(_flat(parts, All))

    def negated(self) -> Node:
        if self.peek().kind == "NOT":
            self.take()
            return Not(self.negated())
        return self.near()

    def near(self) -> Node:
        begin = self.peek()
        left = self.atom()
        while self.peek().kind == "near":
            token, after = self.take(), self.peek()
            right = self.atom()
            for side, at in ((left, begin), (right, after)):
                if not positional(side):
                    hint = "put words, phrases, NEAR, or alternatives of them on both sides"
                    self.fail(at, "NEAR needs things that have a place in the text.", hint)
            left = Near(left, right, token.words, token.ordered)
        return left

    def atom(self) -> Node:
        token = self.take()
        if token.node is not None:
            return token.node
        if token.kind == "(":
            found = self.either()
            close = self.take()
            if close.kind != ")":
                self.fail(token, "a bracket is not closed.", "add ) where the group ends")
            return found
        if token.kind == "end":
            self.fail(token, "the query ends where a word is missing.", "add a word, or remove the operator")
        return self.fail(token, f"{token.text!r} stands where a word is missing.", "add a word before it, or remove it")


def _flat(parts: list[Node], kind: type[All] | type[Any]) -> tuple[Node, ...]:
    flat = list[Node]()
    for part in parts:
        flat.extend(part.parts if isinstance(part, All | Any) and type(part) is kind else (part,))
    return tuple(flat)


def parse(text: str, /) -> Node:
    """Read a query.

    Raises
    ------
    BadQuery
        With the place, what is wrong, and the repair.

    Examples
    --------
    >>> print(parse('(refund* OR "money back") NEAR/5 never AND NOT author:bot'))
    ((refund* OR "money back") NEAR/5 never) AND NOT author:bot
    """
    if not isinstance(text, str):
        raise WrongType("query", type(text).__name__, "text", "write it as in 'refund AND NOT spam'")
    return _Reader(text).whole()
