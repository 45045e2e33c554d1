"""What people said about pairs of records: read from what they hold, turned into rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from crmcore.errors import BadRow, BadRows, ConflictingConstraints, EmptyInput

if TYPE_CHECKING:
    from crmcore.idic.identify.linkage_rules import Rules

__all__ = ["Answer", "add_answers", "read_answers"]

WORDS: Mapping[str, bool] = {
    **dict.fromkeys(("same", "yes", "y", "true", "1", "match"), True),
    **dict.fromkeys(("different", "no", "n", "false", "0", "no match"), False),
}


@attrs.frozen
class Answer:
    """Whether two records are one customer; `left` is the smaller record id."""

    left: str
    right: str
    same: bool


def read_answers(given: Any) -> tuple[Answer, ...]:
    """Read answers, in the order of their record ids.

    Parameters
    ----------
    given : mapping, tuples or frame
        ``{("web:1", "shop:7"): True}``, rows of ``("web:1", "shop:7", "same")``, or any frame with the columns `left`,
        `right` and `answer` (`Review.to_frame` with the answers filled in). Answers are truth values or words (same,
        yes; different, no); rows without an answer are skipped.

    Raises
    ------
    BadRows
        Words that are no answer, or a record beside itself.
    ConflictingConstraints
        One pair with two answers.
    EmptyInput
        No answer at all.

    Examples
    --------
    >>> read_answers([("web:2", "web:1", "same"), ("web:2", "web:3", None)])
    (Answer(left='web:1', right='web:2', same=True),)
    """
    said: dict[tuple[str, str], bool] = {}
    bad: dict[str, list[int]] = {}
    against: list[str] = []
    for row, (left, right, word) in enumerate(_rows(given)):
        if word is None or (isinstance(word, str) and not word.strip()) or word != word:
            continue
        same = WORDS.get(str(word).strip().casefold()) if not isinstance(word, float) else bool(word)
        if same is None:
            bad.setdefault("no answer that is known", []).append(row)
        elif left == right:
            bad.setdefault("a record beside itself", []).append(row)
        else:
            pair = (min(left, right), max(left, right))
            if said.setdefault(pair, same) is not same:
                against.append(f"{pair[0]} and {pair[1]}")
    if bad:
        problems = tuple(BadRow("answer", why, tuple(rows)) for why, rows in bad.items())
        raise BadRows("the answers", problems, "write same or different, and leave open ones empty")
    if against:
        raise ConflictingConstraints("answers", tuple(against), "keep one answer per pair")
    if not said:
        raise EmptyInput("the answers", "answer at least one pair")
    return tuple(Answer(a, b, same) for (a, b), same in sorted(said.items()))


def _rows(given: Any) -> Iterable[tuple[str, str, Any]]:
    if isinstance(given, Mapping) and given and all(isinstance(k, tuple) for k in given):
        return [(str(a), str(b), word) for (a, b), word in given.items()]
    if isinstance(given, Sequence) and not isinstance(given, str | bytes):
        if all(isinstance(x, Answer) for x in given):
            return [(x.left, x.right, x.same) for x in given]
        if all(isinstance(x, tuple | list) and len(x) == 3 for x in given):
            return [(str(a), str(b), word) for a, b, word in given]
    from crmcore._frames import read_frame

    frame = read_frame(given)
    columns = (frame.column(name) for name in ("left", "right", "answer"))
    return [(str(a), str(b), word) for a, b, word in zip(*columns, strict=True)]


def add_answers(rules: Rules, answers: Sequence[Answer]) -> Rules:
    """Rules with the answers as orders: what was said later about a pair replaces what was ordered before."""
    judged = {(a.left, a.right) for a in answers}

    def kept(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(a, b) for a, b in pairs if (min(a, b), max(a, b)) not in judged]

    return attrs.evolve(
        rules,
        must_link=[*kept(rules.must_link), *((a.left, a.right) for a in answers if a.same)],
        must_not_link=[*kept(rules.must_not_link), *((a.left, a.right) for a in answers if not a.same)],
    )
