"""Public posts about our brand and two rivals: aspects, tone, spam, an emerging topic, a rival's weakness, a bought burst."""

# ruff: noqa: E501  (columns read best as lines)

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.datasets.columns import Columns, Ints, Objects, children, draw, kept, opaque_ids, texts, utc
from crmcore.datasets.people import FIRST_DAY, LAST_DAY
from crmcore.datasets.records import RecordSet
from crmcore.datasets.traits import Planted, Traits
from crmcore.datasets.words_posts import ASPECTS, BRANDS, BURST_TEXTS, CLOSINGS, FACES, OPENINGS, SENTENCES, SPAM_TEXTS

__all__ = ["BURSTS", "Burst", "Posts", "simulate_posts"]

# aspect shares of negative posts by brand: rival a fails at delivery, where we and rival b do well
BLAME = (
    (0.08, 0.24, 0.18, 0.20, 0.18, 0.12),
    (0.52, 0.12, 0.12, 0.10, 0.06, 0.08),
    (0.09, 0.27, 0.24, 0.16, 0.10, 0.14),
)
BRAND_SHARE = (0.46, 0.32, 0.22)
TONE = ((0.24, 0.26, 0.50), (0.40, 0.27, 0.33), (0.30, 0.32, 0.38))  # negative, neutral, positive by brand


@attrs.frozen
class Burst:
    """A planted run of posts on one topic; days count from the first observed day."""

    topic: str
    kind: str  # "emerging topic" or "bought praise"
    brand: str
    first_day: int
    last_day: int
    share: float  # of all posts


BURSTS = (
    Burst("refill pouch", "emerging topic", BRANDS[0], 780, 870, 0.03),
    Burst("crushed box", "emerging topic", BRANDS[0], 800, 830, 0.01),
    Burst("five stars", "bought praise", BRANDS[2], 400, 406, 0.012),
)


@attrs.frozen(eq=False, repr=False)
class Posts:
    """Posts as a table, and what was meant; row i of everything is the same post."""

    posts: Columns
    person: Ints  # -1 for spammers
    brand: Ints  # code of BRANDS
    aspect: Ints  # code of ASPECTS, -1 for spam and bursts
    sentiment: Ints  # -1, 0, 1
    spam: NDArray[np.bool_]
    burst: Ints  # row of BURSTS, -1 = none

    def __len__(self) -> int:
        return len(self.person)

    def __repr__(self) -> str:
        return f"Posts({len(self)} posts)"


def _sentences() -> tuple[Objects, Ints, Ints]:
    """All sentences in one column; where the block of aspect a and tone t begins, and how many it has."""
    blocks = [SENTENCES[a][t] for a in ASPECTS for t in range(3)]
    sizes = np.array([len(b) for b in blocks])
    return texts([s for b in blocks for s in b]), np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes


def simulate_posts(records: RecordSet, traits: Traits, *, planted: Planted, rng: np.random.Generator) -> Posts:
    """About one post for five persons, at least 500; engaged people write more, superfans praise and defend."""
    r = children(
        rng,
        "who",
        "brand",
        "tone",
        "aspect",
        "text",
        "time",
        "spam",
        "burst",
        "ids",
        "handle",
        "likes",
        "record",
        "reply",
        "order",
    )
    n = max(len(traits) // 5, 500)
    person = draw(r["who"], traits.engagement, n)
    spam = r["spam"].random(n) < planted.spam_share
    burst, day = _bursts(r["burst"], n)
    spam &= burst < 0
    brand = draw(r["brand"], BRAND_SHARE, n)
    brand[traits.superfan[person] & (r["brand"].random(n) < 0.9)] = 0
    lean = 0.5 * traits.satisfaction[person] * (brand == 0)
    tone_edges = np.cumsum(np.array(TONE), axis=1)[brand]
    spins = 1 / (1 + np.exp(-(np.log(np.maximum(u := r["tone"].random(n), 1e-12) / np.maximum(1 - u, 1e-12)) + lean)))
    sentiment = (spins[:, None] > tone_edges[:, :2]).sum(axis=1) - 1
    aspect = _aspects(r["aspect"], brand, sentiment)
    for b, planned in enumerate(BURSTS):
        brand[burst == b] = BRANDS.index(planned.brand)
    pouch, crushed, bought = (burst == b for b in range(3))
    sentiment = np.select([pouch, crushed, bought, spam], [0, -1, 1, 0], sentiment)
    aspect = np.select([pouch, crushed, bought, spam], [-1, ASPECTS.index("packaging"), -1, -1], aspect)
    uniform = r["time"].random(n) * float((LAST_DAY - FIRST_DAY).astype(int))
    text = _write(r["text"], brand, aspect, sentiment, spam, burst)
    robot = spam | bought
    account = np.where(robot, -1, person)
    linked = records.truth.one_per_person(r["record"], "page_inbox")[person]
    known = (linked >= 0) & ~robot
    handle = records.contacts.handle[person]
    names = texts([f"@deal{k}" for k in range(max(n // 400, 3))])
    handle[robot] = names[r["handle"].integers(len(names), size=n)][robot]
    stars = np.where(
        r["handle"].random(n) < 0.35,
        np.clip(3 + 2 * sentiment - r["likes"].integers(2, size=n) * sentiment, 1, 5),
        np.nan,
    )
    stars[bought] = 5
    ids = opaque_ids(r["ids"], n, prefix="t-")
    answers = (r["reply"].random(n) < np.where(traits.superfan[person], 0.5, 0.15)) & ~robot
    likes = r["likes"].poisson(np.where(robot, 0.2, 1.5 + 4 * traits.superfan[person]))
    order = np.argsort(r["order"].random(n))
    when = utc(np.where(burst >= 0, day, uniform), origin=FIRST_DAY)
    posts: Columns = {
        "post_id": ids, "time": when, "handle": handle, "record_id": kept(records.truth.record_id[linked], known), "text": text, "stars": stars,
        "likes": likes, "reply_to": kept(ids[_earlier(r["reply"], when)], answers),
    }  # fmt: skip
    columns = {name: column[order] for name, column in posts.items()}
    return Posts(columns, account[order], brand[order], aspect[order], sentiment[order], spam[order], burst[order])


def _bursts(rng: np.random.Generator, n: int) -> tuple[Ints, NDArray[np.float64]]:
    """Which posts belong to a burst, and on which day they stand."""
    burst = draw(rng, [1 - sum(b.share for b in BURSTS), *(b.share for b in BURSTS)], n) - 1
    first = np.array([b.first_day for b in BURSTS])[burst]
    span = np.array([b.last_day - b.first_day for b in BURSTS])[burst]
    return burst, first + span * rng.beta(2, 2, n)


def _aspects(rng: np.random.Generator, brand: Ints, sentiment: Ints) -> Ints:
    """Evenly spread, but what a brand is blamed for follows BLAME."""
    aspect = rng.integers(len(ASPECTS), size=len(brand))
    for b, child in zip(range(len(BRANDS)), rng.spawn(len(BRANDS)), strict=True):
        rows = np.flatnonzero((brand == b) & (sentiment < 0))
        aspect[rows] = draw(child, BLAME[b], len(rows))
    return aspect


def _earlier(rng: np.random.Generator, when: NDArray[np.datetime64]) -> Ints:
    """For each post a random earlier one; the first one points at itself."""
    order = np.argsort(when, kind="stable")
    place = np.empty(len(when), dtype=np.int64)
    place[order] = np.arange(len(when))
    return order[(rng.random(len(when)) * place).astype(np.int64)]


def _write(
    rng: np.random.Generator, brand: Ints, aspect: Ints, sentiment: Ints, spam: NDArray[np.bool_], burst: Ints
) -> Objects:
    """The words of each post."""
    r = children(rng, "sentence", "opening", "closing", "burst", "spam")
    n = len(brand)
    sentences, start, size = _sentences()
    block = np.maximum(aspect, 0) * 3 + sentiment + 1
    text = sentences[start[block] + (r["sentence"].random(n) * size[block]).astype(np.int64)]
    special = texts(list(BURST_TEXTS))[draw(r["burst"], np.ones(len(BURST_TEXTS)), n)]
    text[burst == 0] = special[burst == 0]
    text[burst == 2] = "best brand ever, five stars, everyone should buy {b}"
    adverts = texts(list(SPAM_TEXTS))[draw(r["spam"], np.ones(len(SPAM_TEXTS)), n)]
    text[spam] = adverts[spam]
    opening = texts(list(OPENINGS))[draw(r["opening"], np.ones(len(OPENINGS)), n)]
    closing = texts(list(CLOSINGS))[draw(r["closing"], np.ones(len(CLOSINGS)), n)]
    face = texts(list(FACES))[sentiment + 1]
    closing = np.where(r["closing"].random(n) < 0.12, face, closing)
    key = r["spam"].integers(10**4, size=n).tolist()
    bare = (spam | (burst == 2)).tolist()
    names = texts(list(BRANDS))[brand]
    made = []
    for t, b, o, c, k, plain in zip(text, names, opening, closing, key, bare, strict=True):
        words = t.replace("{b}", b).replace("{k}", str(k))
        made.append(words if plain else f"{o}{words}{c}")
    return texts(made)
