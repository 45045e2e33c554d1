"""Why it happened, step by step: five whys as a tree, and fishbones. Every step names its evidence or is assumed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

import attrs

from crmcore._base import listed
from crmcore.documents import Document
from crmcore.errors import BadDocument, EmptyInput

__all__ = ["SERVICE_BONES", "Fishbone", "Why", "WhyTree"]

SERVICE_BONES = ("people", "process", "policy", "place", "product", "systems", "suppliers", "customers")
"""Usual bones of a service; any others may be named."""

_HINT = "write what was seen or measured as evidence, or leave it out: then the step counts as assumed"


def _whys(value: Iterable[Why]) -> tuple[Why, ...]:
    return listed(value, "whys", Why, what="answers", hint="[Why('the label was wrong', 'photo of the parcel')]")


def _bones(value: Mapping[str, Iterable[Why]]) -> dict[str, tuple[Why, ...]]:
    return {str(name): _whys(whys) for name, whys in dict(value).items()}


@attrs.frozen
class Why(Document):
    """One answer to "why?".

    Parameters
    ----------
    says : text
        What was the case.
    evidence : text
        What shows it: a measure, a document, a finding. Without it the answer is assumed.
    because : tuple of Why
        Answers to why that was so.

    Examples
    --------
    >>> print(Why("the label was wrong", "photo of the parcel", [Why("the address was typed in")]))
    the label was wrong [photo of the parcel]
    """

    says: str
    evidence: str = ""
    because: tuple[Why, ...] = attrs.field(default=(), converter=_whys)

    @property
    def assumed(self) -> bool:
        """Whether nothing shows it yet."""
        return not self.evidence.strip()

    def __str__(self) -> str:
        return f"{self.says} [{'assumed' if self.assumed else self.evidence}]"

    def chains(self) -> Iterator[tuple[Why, ...]]:
        """Ways from this answer down to each last one."""
        if not self.because:
            yield (self,)
        for below in self.because:
            for chain in below.chains():
                yield (self, *chain)

    def walk(self) -> Iterator[Why]:
        """Give the answer itself and all below it."""
        yield self
        for below in self.because:
            yield from below.walk()


def _faults(whys: Iterable[Why], above: tuple[str, ...], path: str) -> Iterator[str]:
    """Empty answers, answers that stand twice side by side, and answers that explain themselves."""
    beside: set[str] = set()
    for i, why in enumerate(whys):
        here = f"{path}[{i}]"
        words = _folded(why.says)
        if not words:
            yield f"{here}: says nothing"
        elif words in above:
            yield f"{here}: {why.says!r} explains itself: it stands above already"
        elif words in beside:
            yield f"{here}: {why.says!r} stands twice side by side"
        if _folded(why.evidence) == "assumed":
            yield f"{here}: 'assumed' is no evidence; leave the evidence out"
        elif words and _folded(why.evidence) == words:
            yield f"{here}: the evidence repeats the answer"
        if set("[]\n") & set(why.evidence) or "\n" in why.says:
            yield f"{here}: more than one line, or square brackets in the evidence, which the text form needs"
        beside.add(words)
        yield from _faults(why.because, (*above, words), f"{here}.because")


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".!?")


def _written(why: Why, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}- {why}"
    for below in why.because:
        yield from _written(below, depth + 1)


@attrs.frozen
class WhyTree(Document):
    """Why a problem happened, asked again and again.

    Parameters
    ----------
    problem : text
        What happened, as the customer saw it.
    whys : tuple of Why
        First answers; a problem may have several.

    Raises
    ------
    EmptyInput, BadDocument
        No problem; answers that say nothing, repeat each other or explain themselves: all at once.

    Examples
    --------
    >>> tree = WhyTree("parcel came late", [
    ...     Why("it left a day late", "scan of 3 May", [Why("the list was printed at noon", "log of the printer", [
    ...         Why("nobody owns the morning run")])])])
    >>> print(tree)
    parcel came late
      - it left a day late [scan of 3 May]
        - the list was printed at noon [log of the printer]
          - nobody owns the morning run [assumed]
    >>> tree.roots[0].says, tree.proven
    ('nobody owns the morning run', False)
    """

    problem: str
    whys: tuple[Why, ...] = attrs.field(converter=_whys)

    def __attrs_post_init__(self) -> None:
        if not self.problem.strip() or not self.whys:
            raise EmptyInput("the tree of whys", "state the problem and at least one answer")
        problems = tuple(_faults(self.whys, (_folded(self.problem),), "$.whys"))
        if problems:
            raise BadDocument("tree of whys", problems, _HINT)

    @property
    def roots(self) -> tuple[Why, ...]:
        """Last answers: what to act on."""
        return tuple(chain[-1] for why in self.whys for chain in why.chains())

    @property
    def assumed(self) -> tuple[Why, ...]:
        """Answers that nothing shows yet: what to check next."""
        return tuple(step for why in self.whys for step in why.walk() if step.assumed)

    @property
    def proven(self) -> bool:
        """Whether every answer has its evidence."""
        return not self.assumed

    @property
    def depth(self) -> int:
        """Answers on the longest way; five is a habit, not a rule."""
        return max(len(chain) for why in self.whys for chain in why.chains())

    def proven_roots(self) -> tuple[Why, ...]:
        """Last answers whose whole way is shown: no leap from the problem to them."""
        ways = (chain for why in self.whys for chain in why.chains())
        return tuple(chain[-1] for chain in ways if not any(step.assumed for step in chain))

    def __str__(self) -> str:
        return "\n".join([self.problem, *(line for why in self.whys for line in _written(why, 1))])

    @classmethod
    def from_text(cls, text: str, /) -> WhyTree:
        r"""Read what `str` writes: the problem, then answers as indented lines `- answer [evidence]`.

        Raises
        ------
        BadDocument
            Lines that are no answer or stand deeper than one step below the line above: all at once.

        Examples
        --------
        >>> WhyTree.from_text("late\n  - sent late [scan]\n    - no owner [assumed]").depth
        2
        """
        return cls(*_parsed(text))

    def _repr_html_(self) -> str:
        return f"<figure><b>{escape(self.problem)}</b>{_html(self.whys)}</figure>"


_LINE = re.compile(r"^(?P<space> *)- (?P<says>.*?)(?: \[(?P<evidence>[^\[\]]*)\])?$")


def _parsed(text: str) -> tuple[str, tuple[Why, ...]]:
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise EmptyInput("the text of the tree", "write the problem on the first line")
    problems: list[str] = []
    found: list[tuple[int, str, str]] = []
    for number, line in enumerate(lines[1:], start=2):
        match = _LINE.match(line.replace("\t", "  ").rstrip())
        deepest = found[-1][0] + 1 if found else 1
        depth = len(match["space"]) // 2 if match else 0
        if match is None:
            problems.append(f"line {number}: no answer (write '  - answer [evidence]')")
        elif not 1 <= depth <= deepest:
            problems.append(f"line {number}: indented {depth} steps, at most {deepest} are possible")
        else:
            evidence = (match["evidence"] or "").strip()
            found.append((depth, match["says"], "" if evidence == "assumed" else evidence))
    if problems:
        raise BadDocument("tree of whys", tuple(problems), "indent each answer two blanks more than what it explains")
    whys, _ = _nested(found, 0, 1)
    return lines[0].strip(), whys


def _nested(found: list[tuple[int, str, str]], at: int, depth: int) -> tuple[tuple[Why, ...], int]:
    out: list[Why] = []
    while at < len(found) and found[at][0] == depth:
        _, says, evidence = found[at]
        below, at = _nested(found, at + 1, depth + 1)
        out.append(Why(says, evidence, below))
    return tuple(out), at


@attrs.frozen
class Fishbone(Document):
    """Possible causes of a problem, sorted by where they come from (Ishikawa).

    Parameters
    ----------
    problem : text
    bones : bone -> tuple of Why
        Causes by kind; `SERVICE_BONES` are the usual kinds. A bone may be empty: asked, nothing found.

    Raises
    ------
    EmptyInput, BadDocument

    Examples
    --------
    >>> fish = Fishbone("long waits", {"people": [Why("two agents ill", "roster")], "systems": [Why("telephone slow")]})
    >>> print(fish)
    long waits
      people
        - two agents ill [roster]
      systems
        - telephone slow [assumed]
    """

    problem: str
    bones: Mapping[str, tuple[Why, ...]] = attrs.field(converter=_bones, hash=False)

    def __attrs_post_init__(self) -> None:
        if not self.problem.strip() or not self.bones:
            raise EmptyInput("the fishbone", "state the problem and at least one bone")
        problems = [
            fault
            for name, whys in self.bones.items()
            for fault in _faults(whys, (_folded(self.problem),), f"$.bones[{name!r}]")
        ]
        problems += ["$.bones: a bone without a name" for name in self.bones if not name.strip()]
        if problems:
            raise BadDocument("fishbone", tuple(problems), _HINT)

    @property
    def assumed(self) -> tuple[Why, ...]:
        """Causes that nothing shows yet."""
        return tuple(step for whys in self.bones.values() for why in whys for step in why.walk() if step.assumed)

    @property
    def empty(self) -> tuple[str, ...]:
        """Bones where nothing was found."""
        return tuple(name for name, whys in self.bones.items() if not whys)

    def tree(self) -> WhyTree:
        """The same causes as one tree of whys, bones left out."""
        return WhyTree(self.problem, tuple(why for whys in self.bones.values() for why in whys))

    def __str__(self) -> str:
        lines = [self.problem]
        for name, whys in self.bones.items():
            lines += [f"  {name}", *(line for why in whys for line in _written(why, 2))]
        return "\n".join(lines)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a cause: bone, cause, evidence, assumed."""
        from crmcore.metrics.estimates import frame_of

        rows = [
            {"bone": name, "cause": step.says, "evidence": step.evidence, "assumed": step.assumed}
            for name, whys in self.bones.items()
            for why in whys
            for step in why.walk()
        ]
        if not rows:
            raise EmptyInput("the fishbone", "no bone has a cause yet")
        return frame_of(rows, backend=backend)

    def _repr_html_(self) -> str:
        parts = "".join(f"<li>{escape(name)}{_html(whys)}</li>" for name, whys in self.bones.items())
        return f"<figure><b>{escape(self.problem)}</b><ul>{parts}</ul></figure>"


def _html(whys: Iterable[Why]) -> str:
    items = "".join(f"<li>{escape(str(why))}{_html(why.because)}</li>" for why in whys)
    return f"<ul>{items}</ul>" if items else ""
