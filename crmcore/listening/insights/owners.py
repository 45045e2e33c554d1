"""Who answers what: ownership of posts as rules that people can read, and digests of what concerns a role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.listening.insights.insight import Insights
from crmcore.metrics.columns import cells_of, columns_frame
from crmcore.metrics.comparing import p_text
from crmcore.metrics.scalars import count_of, text_of
from crmcore.rules import FactTable, Rule, RuleSet, field
from crmcore.rules.fact_table import Column
from crmcore.tables import CustomerIndex, MentionTable
from crmcore.text import Tokenizer, TokenKind
from crmcore.text.patterns import kind_of

__all__ = ["OWNERS", "Digest", "Routed", "digest", "ownership", "route"]

OWNERS = ("public relations", "service", "product", "marketing", "community")


def ownership(*, crisis_reach: float = 10_000, crisis_negative: float = 0.7) -> RuleSet:
    """Give rules of ownership to start from; edit them as any `RuleSet`.

    A post is a matter of public relations while its subject is in crisis, or when it speaks badly to many; other
    complaints belong to service, questions to the community, ideas to product, praise to marketing. First match wins.

    Parameters
    ----------
    crisis_reach : people
        From which a bad post is a matter of public relations.
    crisis_negative : chance
        From which a post counts as bad.

    Examples
    --------
    >>> print(ownership().rules[0])
    Rule "crisis": when crisis is yes, then public relations (one voice speaks for us in a crisis).
    """
    loud = (field("reach") >= crisis_reach) & (field("negative") >= crisis_negative)
    return RuleSet(
        "ownership",
        (
            Rule("crisis", field("crisis"), then="public relations", because="one voice speaks for us in a crisis"),
            Rule("loud", loud, then="public relations", because="many people listen"),
            Rule("complaint", field("intent") == "complaint", then="service", because="somebody needs help"),
            Rule("idea", field("intent") == "idea", then="product", because="whoever builds it should read it"),
            Rule("question", field("intent") == "question", then="community", because="members answer fastest"),
            Rule("praise", field("intent") == "compliment", then="marketing", because="thank, and ask to share"),
            Rule(
                "bad", field("negative") >= crisis_negative, then="service", because="unhappy, even without a complaint"
            ),
        ),
        default="nobody",
    )


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Routed:
    """Owner of each post, and the rule that said so; row i of every column is post i of the mentions."""

    mentions: MentionTable = attrs.field(repr=False)
    owner: tuple[str, ...]
    rule: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.owner)

    def __repr__(self) -> str:
        return f"Routed({len(self)} posts, {len(self.counts())} owners)"

    def __str__(self) -> str:
        return ", ".join(f"{owner} {n}" for owner, n in self.counts().items())

    def counts(self) -> dict[str, int]:
        """Posts by owner, most first."""
        return dict(sorted(Counter(self.owner).items(), key=lambda item: (-item[1], item[0])))

    def of(self, owner: str, /) -> NDArray[np.int64]:
        """Rows of one owner."""
        return np.flatnonzero([name == owner for name in self.owner]).astype(np.int64)

    def to_frame(self, backend: Any = None) -> Any:
        """One row a post: id, owner, rule, permalink."""
        return columns_frame(
            {
                "post": self.mentions.mention_id.to_list(),
                "owner": self.owner,
                "rule": self.rule,
                "link": self.mentions.link.to_list(),
            },
            backend=backend,
        )

    def _repr_html_(self) -> str:
        return html_table([{"owner": k, "posts": n} for k, n in self.counts().items()], caption="Posts by owner")


def route(
    mentions: MentionTable,
    /,
    *,
    facts: Mapping[str, ArrayLike] | None = None,
    rules: RuleSet | None = None,
    now: datetime | None = None,
) -> Routed:
    """Say who owns the answer to each post.

    Parameters
    ----------
    mentions
    facts : (n,) columns by name
        What the rules ask about beside `reach`, `channel` and the attributes of the mentions: such as `crisis`,
        `intent`, `negative`. A fact that is missing is unknown, and a rule that needs it does not hold.
    rules
        First match wins; None takes `ownership()`.
    now
        For rules about time; None where none speaks of it.

    Examples
    --------
    >>> posts = MentionTable.from_frame({"text": ["Help!", "Shame on you"], "reach": [10, 50_000]})
    >>> print(route(posts, facts={"intent": ["complaint", "complaint"], "negative": [0.6, 0.9]}))
    public relations 1, service 1
    """
    chosen = ownership() if rules is None else rules
    n = len(mentions)
    columns: dict[str, Column] = {"reach": mentions.reach, "channel": mentions.channel, **mentions.attributes}
    for name, values in (facts or {}).items():
        cells = cells_of(name, values)
        if len(cells) != n:
            raise OutOfRange(f"length of {name}", len(cells), f"{n}, one a mention", "pass a column of the same rows")
        columns[name] = cells
    unknown = [None] * n
    asked = {name: columns.get(name, unknown) for name in chosen.fields}
    table = FactTable(CustomerIndex(tuple(map(str, range(n)))), asked)
    decided = chosen.decide_all(table, now=now or datetime(1970, 1, 1, tzinfo=UTC))
    names = [*(rule.name for rule in chosen.rules), "(no rule)", "(open)"]
    why = tuple(names[i] if i >= 0 else names[len(chosen.rules) - 1 - i] for i in decided.chosen.tolist())
    return Routed(mentions=mentions, owner=tuple(map(str, decided.outcomes())), rule=why)


@attrs.frozen(kw_only=True)
class Digest(Document):
    """What a role should know, in few lines; made by `digest`."""

    role: str
    lines: tuple[str, ...]
    left: int  # insights that found no place

    def __len__(self) -> int:
        return len(self.lines)

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        return html_table([{"line": line} for line in self.lines], caption=f"Digest for {self.role}", limit=50)


def digest(
    insights: Insights,
    mentions: MentionTable,
    /,
    *,
    role: str,
    owners: Sequence[str] | None = None,
    most_lines: int = 10,
    quote_length: int = 90,
) -> Digest:
    """Put what matters to a role in few lines, each finding with its evidence.

    Parameters
    ----------
    insights
        Heaviest first, as `find_insights` gives them.
    mentions
        Where the quotes stand; handles, links and addresses in them are masked.
    role : words
        Who reads it.
    owners : names
        Whose insights the role sees; None sees all, as the chief executive does.
    most_lines : count
        At least 2: a finding takes one line, its best quote another.
    quote_length : characters
    """
    text_of("role", role, hint="say who reads it")
    count_of("most_lines", most_lines, least=2)
    count_of("quote_length", quote_length, least=20)
    mine = insights if owners is None else insights.of(owners)
    shown = list(mine)[: most_lines // 2]
    lines = list[str]()
    for insight in shown:
        lines.append(f"{insight.finding} -> {insight.owner}: {insight.action}")
        evidence = f"{len(insight.quotes)} quotes, {p_text(insight.p_adjusted)}"
        said = insight.quotes_from(mentions)
        lines.append(f'   "{_short(said[0], quote_length)}" ({evidence})' if said else f"   {evidence}")
    if not lines:
        lines = [f"nothing that concerns {role} among {insights.looked_at} things looked at"]
    return Digest(role=role, lines=tuple(lines), left=len(mine) - len(shown))


def _short(text: str, length: int) -> str:
    """Quote in one line, whoever is named in it masked."""
    clean, spans = Tokenizer().spans(text)
    hidden = {TokenKind.HANDLE: "@...", TokenKind.EMAIL: "(address)", TokenKind.LINK: "(link)"}
    parts, at = list[str](), 0
    for begin, end in spans:
        instead = hidden.get(kind_of(clean[begin:end]))
        if instead:
            parts += [clean[at:begin], instead]
            at = end
    said = " ".join("".join([*parts, clean[at:]]).split())
    return said if len(said) <= length else said[: length - 3].rstrip() + "..."
