"""The forum of a brand: questions of members, answers by members and staff with known waits, and thanks."""

# ruff: noqa: E501  (columns read best as lines)

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.datasets.columns import Columns, Ints, children, draw, kept, opaque_ids, texts, utc
from crmcore.datasets.people import FIRST_DAY, LAST_DAY
from crmcore.datasets.records import RecordSet
from crmcore.datasets.traits import Planted, Traits

__all__ = ["STAFF", "Forum", "simulate_forum"]

STAFF = 6
DAYS = 365  # that the forum has been open
MORE = 1.2  # further answers to an answered question, on average
THANKS = 0.45
FANS = 8.0  # superfans answer so many times as often as others of their engagement


@attrs.frozen(eq=False, repr=False)
class Forum:
    """Posts of the forum as a table, and who wrote them; row i of both is the same post."""

    posts: Columns
    person: Ints  # -1 for staff

    def __len__(self) -> int:
        return len(self.person)

    def __repr__(self) -> str:
        return f"Forum({len(self)} posts)"


def simulate_forum(records: RecordSet, traits: Traits, *, planted: Planted, rng: np.random.Generator) -> Forum:
    """One question for ten persons, at least 200, over the last year.

    A share of the questions is ever answered, by others than the asker, after an exponential wait; staff write a share of
    the answers, engaged people and superfans the others. Posts after the last day are not there yet.
    """
    r = children(rng, "record", "who", "time", "answer", "wait", "more", "by", "thanks", "ids", "order")
    row = records.truth.one_per_person(r["record"], "members", "page_inbox", "line_oa")
    writers = np.flatnonzero(row >= 0)
    n = max(len(traits) // 10, 200) if len(writers) > 1 else 0
    writers = writers if n else np.zeros(1, np.int64)
    asker = writers[draw(r["who"], traits.engagement[writers], n)]
    days = float((LAST_DAY - FIRST_DAY).astype(int))
    asked = days - DAYS + r["time"].random(n) * DAYS
    first = np.flatnonzero(r["answer"].random(n) < planted.answered_share)
    again = np.repeat(first, r["more"].poisson(MORE, len(first)))
    soon = r["wait"].exponential(planted.reply_hours / 24, len(first))
    wait = np.zeros(n)
    wait[first] = soon
    question = np.concatenate([first, again])
    replied = asked[question] + wait[question]
    replied[len(first) :] += r["more"].exponential(2.0, len(again))
    helper = _others(r["by"], writers, traits.engagement * np.where(traits.superfan, FANS, 1.0), asker[question])
    staff = r["by"].random(len(question)) < planted.staff_share
    thanked = np.flatnonzero(r["thanks"].random(len(question)) < THANKS)
    thanks = replied[thanked] + r["thanks"].exponential(0.3, len(thanked))

    when = np.concatenate([asked, replied, thanks])
    person = np.concatenate([asker, np.where(staff, -1, helper), asker[question[thanked]]])
    parent = np.concatenate([np.full(n, -1), question, n + thanked])
    kind = np.repeat(np.arange(3), [n, len(question), len(thanked)])
    names = texts([f"staff {i + 1}" for i in range(STAFF)])[r["by"].integers(STAFF, size=len(when))]
    author = np.where(person < 0, names, records.truth.record_id[row[np.maximum(person, 0)]])
    ids = opaque_ids(r["ids"], len(when), prefix="f-")
    posts: Columns = {
        "post_id": ids, "time": utc(when, origin=FIRST_DAY), "author": author, "staff": person < 0,
        "kind": texts(["question", "answer", "thanks"])[kind], "reply_to": kept(ids[parent], parent >= 0),
    }  # fmt: skip
    there = np.flatnonzero(when < days + 1)
    order = there[np.argsort(r["order"].random(len(there)))]
    return Forum({name: column[order] for name, column in posts.items()}, person[order].astype(np.int64))


def _others(rng: np.random.Generator, people: Ints, weight: NDArray[np.float64], but: Ints) -> Ints:
    """One of the people for each row, by weight, but nobody twice in a row: whoever is drawn as `but` is drawn again."""
    found = people[draw(rng, weight[people], len(but))]
    for _ in range(20):
        same = np.flatnonzero(found == but)
        found[same] = people[draw(rng, weight[people], len(same))]
    return found
