"""The chapter of listening: what is said in public about us and our rivals, how sure we are, and what to do."""

# ruff: noqa: E501  (sentences of the page stay whole)

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.charts.chart import written
from crmcore.datasets.words_posts import BRANDS
from crmcore.flows.page import Block, Figure, Heading, KeyFigure, Note, Table, Text
from crmcore.flows.sections.chapter import Chapter, Check, Part, said
from crmcore.listening.cleaning import CleanedMentions, Cleaner
from crmcore.listening.insights import Play, find_insights
from crmcore.listening.queries import match
from crmcore.listening.sentiment import default_model
from crmcore.listening.shares import correct_sentiment, share_of_voice
from crmcore.listening.voices import discussion_points
from crmcore.tables import MentionTable

if TYPE_CHECKING:
    from crmcore.datasets.brand import Brand
    from crmcore.idic.identify.people import People

__all__ = ["listen"]

LABELLED = 200  # posts that somebody has read and labelled, drawn at random
JUDGED = 50  # of the removed posts
QUARTER = np.timedelta64(91, "D")
# what an aspect is called, in both languages of the posts
ASPECTS = {
    "delivery": "deliver* OR parcel OR courier OR order OR \u0e2a\u0e48\u0e07",
    "price": 'price* OR expensive OR deal OR discount OR value OR "rip-off" OR \u0e41\u0e1e\u0e07 OR \u0e23\u0e32\u0e04\u0e32',
    "quality": "quality OR broke OR flimsy OR solid OR \u0e04\u0e38\u0e13\u0e20\u0e32\u0e1e OR \u0e1e\u0e31\u0e07",
    "service": "support OR staff OR service OR answer OR \u0e41\u0e2d\u0e14\u0e21\u0e34\u0e19 OR \u0e1e\u0e19\u0e31\u0e01\u0e07\u0e32\u0e19",
    "packaging": "box OR plastic OR packaging OR pack* OR \u0e01\u0e25\u0e48\u0e2d\u0e07 OR \u0e41\u0e1e\u0e47\u0e04",
    "app": 'app OR "log in" OR \u0e41\u0e2d\u0e1b',
}
PLAYS = {
    "delivery": Play(action="promise a delivery date and keep it", owner="logistics", follow_up="share of voices on delivery"),
    "price": Play(action="explain what the price holds", owner="marketing", follow_up="share of voices on price"),
    "quality": Play(action="look at the returns of the set", owner="product", follow_up="share of voices on quality"),
    "service": Play(action="answer within a working day", owner="service", follow_up="share of voices on service"),
    "packaging": Play(action="test a stronger box", owner="product", follow_up="share of voices on packaging"),
    "app": Play(action="mend the crash at log-in first", owner="product", follow_up="share of voices on the app"),
}  # fmt: skip


def _plays(ours: bool) -> dict[str, Play]:
    """What to do where we are blamed, and where a rival is."""
    if ours:
        return PLAYS
    return {
        aspect: Play(action=f"tell what ours is like: {aspect}", owner="marketing", follow_up="switchers won")
        for aspect in ASPECTS
    }


@attrs.frozen
class _Heard:
    """Posts that stay after cleaning, with what was meant by each."""

    posts: MentionTable
    brand: NDArray[np.int64]  # (n,) code of BRANDS that a query found
    scores: NDArray[np.float64]  # (n, 3) probabilities
    tone: NDArray[np.int64]  # (n,) what was meant, -1, 0, 1
    labelled: NDArray[np.int64]  # rows that somebody has read
    real: NDArray[np.bool_]  # (n,) no spam and nothing bought

    @property
    def spoken(self) -> list[str]:
        """(n,) brand of each post."""
        return [BRANDS[b] for b in self.brand.tolist()]


def listen(brand: Brand, people: People) -> Chapter:
    """Hear what is said in public about a brand and its rivals.

    Parameters
    ----------
    brand : Brand
        Posts, and what was meant by them.
    people : People
        Not needed here: who writes is known by the handle.

    Examples
    --------
    >>> from crmcore.datasets import simulate_brand
    >>> from crmcore.idic import identify
    >>> brand = simulate_brand(300, seed=1)
    >>> found = listen(brand, identify.resolve(dict(brand.sources)))
    >>> [figure.label for figure in found.section().key]
    ['Spam and bought praise', 'Our share of voice', 'Our net sentiment', 'New topics', 'Insights']
    """
    heard, cleaning = _heard(brand)
    lead = (
        "What customers say where we do not ask: cleaned of spam, attributed to brands by queries, scored, and corrected by "
        f"{LABELLED} posts that somebody has labelled. Scores alone are not enough: they flatter or blame some brands more than others."
    )
    parts = (cleaning, _voice(heard), _net(heard), _rises(brand, heard), _acts(heard))
    return Chapter("What they say in public", lead, parts)


def _heard(brand: Brand) -> tuple[_Heard, Part]:
    """Clean the posts, find their brand, score them."""
    columns, truth = brand.posts, brand.truth.posts
    table = MentionTable.from_frame(
        {
            "mention_id": columns["post_id"], "text": columns["text"], "author": columns["handle"],
            "time": columns["time"].astype("datetime64[us]"), "reply_to": columns["reply_to"],
        },
        zone="UTC",
    )  # fmt: skip
    bought = np.array([b >= 0 and brand.truth.bursts[b].kind == "bought praise" for b in truth.burst.tolist()])
    real = ~(truth.spam | bought)
    found = Cleaner().clean(table)
    held = match({name: f'"{name}"' for name in BRANDS}, table).held
    rows = np.flatnonzero(found.stays & held.any(axis=1))
    posts = table.take(rows)
    scores = default_model().score(posts.text.to_list(), names=BRANDS).probability
    scores = np.where(np.isnan(scores), 1 / 3, scores)
    drawn = np.random.default_rng(2).permutation(len(rows))[:LABELLED]
    heard = _Heard(posts, held[rows].argmax(axis=1), scores, truth.sentiment[rows], drawn, real[rows])
    return heard, _cleaned(found, real)


def _cleaned(found: CleanedMentions, real: NDArray[np.bool_]) -> Part:
    gone = np.flatnonzero(~found.stays)
    drawn = np.random.default_rng(1).permutation(gone)[:JUDGED]
    spam = np.flatnonzero(found.masks["spam"])
    judged = np.intersect1d(drawn, spam)
    right = found.precision("spam", judged.tolist(), ~real[judged])
    checks = (
        [Check("removed posts that were spam or bought", right, float((~real[spam]).mean()))] if len(judged) else []
    )
    missed = int((found.stays & ~real).sum())
    blocks: list[Block] = [
        Heading("What does not belong?"),
        Text(
            f"{found}. Of {len(judged)} removed posts that were judged, {said(right)} were rightly removed. The simulation knows of "
            f"{missed} spam or bought posts that were missed. Each rule can be taken back, and every post tells why it went."
        ),
    ]  # fmt: skip
    share = written(len(gone) / max(len(found), 1), percent=True)
    return Part(
        blocks, KeyFigure("Spam and bought praise", share, f"{len(gone):,} of {len(found):,} posts removed"), checks
    )


def _voice(heard: _Heard) -> Part:
    voice = share_of_voice(heard.spoken, author=heard.posts.author, small_sample_ok=True)
    shares = {v.brand: v.share for v in voice.rows if v.by == "volume"}
    true = np.bincount(heard.brand[heard.real], minlength=len(BRANDS)) / max(int(heard.real.sum()), 1)
    checks = [
        Check(f"share of voice of {name}", shares[name], float(true[i]), why="spam that was missed")
        for i, name in enumerate(BRANDS)
        if name in shares
    ]
    ours = shares[BRANDS[0]]
    blocks: list[Block] = [
        Heading("Who is talked about?"),
        Figure(
            voice.chart(), "Share of the posts about us and two rivals.",
            "each dot is a share, the line its interval; whoever posts often counts as one draw, which makes intervals wider.",
        ),
    ]  # fmt: skip
    detail = f"{said(ours)} of {len(heard.posts):,} posts"
    return Part(blocks, KeyFigure("Our share of voice", written(ours.value, percent=True), detail), checks)


def _net(heard: _Heard) -> Part:
    labels = np.full(len(heard.posts), np.nan)
    labels[heard.labelled] = heard.tone[heard.labelled]
    found = correct_sentiment(heard.scores, labels, brand=heard.spoken, small_sample_ok=True)
    nets = {b.name: b for b in found.brands}
    checks, rows = list[Check](), list[tuple[object, ...]]()
    for i, name in enumerate(BRANDS):
        if name not in nets:
            continue
        truth, one = float(heard.tone[heard.brand == i].mean()), nets[name]
        checks.append(Check(f"net sentiment of {name}", one.net, truth, percent=False))
        rows.append((name, one.posts, round(one.raw, 3), said(one.net, percent=False), round(truth, 3)))
    ours = nets[BRANDS[0]].net
    caption = f"Net sentiment of brands, corrected by {len(heard.labelled)} labelled posts."
    blocks: list[Block] = [
        Heading("How do they speak?"),
        Figure(
            found.chart(), "Net sentiment (praise minus blame) by brand, corrected from the labelled posts.",
            "the dot is the corrected net sentiment with its interval; where the raw score stands elsewhere, it would have misled.",
        ),
        Table(("brand", "posts", "raw score", "corrected", "truth"), rows, caption),
        Note("Many posts are Thai, of which an English model knows only the faces: the labels make up for it, and the intervals say how well."),
    ]  # fmt: skip
    detail = f"{said(ours, percent=False)}, between −1 and 1"
    return Part(blocks, KeyFigure("Our net sentiment", written(ours.value), detail), checks)


def _rises(brand: Brand, heard: _Heard) -> Part:
    """What is said more in a quarter than in the year before it, beside the topics that are planted."""
    time = heard.posts.time
    starts = np.arange(time.min() + 4 * QUARTER, time.max(), QUARTER) if len(time) else np.array([], time.dtype)
    rows, found = list[tuple[object, ...]](), set[str]()
    for start in starts:
        now = (time >= start) & (time < start + QUARTER)
        before = (time >= start - 4 * QUARTER) & (time < start)
        if not now.any() or not before.any():
            continue
        terms = discussion_points(heard.posts, now, against=before, false_share=0.05 / len(starts), exact=True)
        rising = [i for i in np.flatnonzero(terms.z > 0).tolist() if len(terms.term[i]) > 2]
        found |= {terms.term[i] for i in rising}
        rows += [
            (str(start.astype("datetime64[D]")), terms.term[i], int(terms.first[i]), int(terms.second[i]), round(float(terms.z[i]), 1))
            for i in rising[:3]
        ]  # fmt: skip
    topics = [b.topic for b in brand.truth.bursts if b.kind == "emerging topic"]
    heard_of = [t for t in topics if any(word in found for word in (t, *t.split()))]
    blocks: list[Block] = [
        Heading("What came up?"),
        Text(
            f"Each quarter is held against the year before it, term by term, at a false discovery rate of 5% over all {len(starts)} quarters. "
            f"Planted are the topics {' and '.join(topics)}; found {'is ' + ' and '.join(heard_of) if heard_of else 'is none of them'}."
        ),
    ]  # fmt: skip
    if rows:
        head = ("quarter from", "term", "voices", "voices the year before", "z")
        blocks.append(Table(head, rows, "Terms that more people used in a quarter than in the year before."))
    detail = f"of {len(topics)} that are planted; hourly bursts need more posts than these"
    return Part(blocks, KeyFigure("New topics", str(len(heard_of)), detail))


def _acts(heard: _Heard) -> Part:
    """Where one brand is blamed more than the others, or ours less, and what follows."""
    about = match(ASPECTS, heard.posts).held
    texts, read = heard.posts.text.to_list(), heard.labelled.tolist()
    words = [("negative", "neutral", "positive")[t + 1] for t in heard.tone[heard.labelled].tolist()]
    adapted = default_model().adapt([texts[i] for i in read], words)
    negative = adapted.probabilities(texts).argmax(axis=1) == 0
    things = {aspect: about[:, k] & negative for k, aspect in enumerate(ASPECTS)}
    rows, looked = list[tuple[object, ...]](), 0
    for i, name in enumerate(BRANDS):
        here = heard.brand == i
        if not here.any() or here.all():
            continue
        seen = find_insights(heard.posts, things, now=here, plays=_plays(i == 0), words=(f"of {name}", "of the others"))
        looked += seen.looked_at
        for x in seen:
            if x.test.difference.value > 0:
                rows.append((name, x.finding, said(x.test.difference), len(x.quotes), x.owner, x.action))
            elif i == 0:
                strength = f"a strength: tell what ours is like: {x.about}"
                rows.append((name, x.finding, said(x.test.difference), len(x.quotes), "marketing", strength))
    text = (
        f"{looked} comparisons of blame were made, one an aspect and brand. {len(rows)} say where a brand is blamed more than the others, or we less, "
        "at a false discovery rate of 5%, and each shows at least three posts. Blame is told by the model after it has learned from the labelled posts."
    )
    blocks: list[Block] = [Heading("What to do?"), Text(text)]
    if rows:
        head = ("about", "finding", "difference of shares", "quotes", "owner", "what to do")
        blocks.append(
            Table(
                head,
                rows,
                "Insights: what a brand is blamed for more than the others, and what we are blamed for less.",
            )
        )
    return Part(
        blocks, KeyFigure("Insights", str(len(rows)), f"among {looked} comparisons, each with quotes, owner and action")
    )
