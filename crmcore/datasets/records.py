"""Records of five sources, each with its own columns, habits and errors, and the truth of whose they are."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, reporter
from crmcore.datasets import sources
from crmcore.datasets.columns import Columns, Frames, Ints, Objects, children, draw, opaque_ids, texts
from crmcore.datasets.contacts import Contacts, simulate_contacts
from crmcore.datasets.people import FIRST_DAY, LAST_DAY, People, simulate_people
from crmcore.errors import OutOfRange

__all__ = ["RecordSet", "RecordTruth", "simulate_records"]

SOURCES = ("members", "web_orders", "page_inbox", "call_centre", "line_oa")
FIRST_SHARE = (0.46, 0.24, 0.10, 0.08, 0.12)  # where a person's first record stands
AGAIN_SHARE = (0.10, 0.40, 0.20, 0.14, 0.16)  # where further ones stand


@attrs.frozen(eq=False, repr=False)
class RecordTruth:
    """Whose record is whose: row i of every column is the same record, sources one after another."""

    record_id: Objects  # (n,)
    source: Objects  # (n,)
    person: Ints  # (n,) row in `People`
    time: NDArray[np.datetime64]  # (n,)
    person_id: Objects  # (persons,)
    household: Ints  # (persons,) row in household_id
    household_id: Objects  # (households,)

    def __len__(self) -> int:
        return len(self.record_id)

    def __repr__(self) -> str:
        return f"RecordTruth({len(self)} records, {len(self.person_id)} persons, {len(self.household_id)} households)"

    def columns(self) -> Columns:
        """The truth as one table: record_id, source, person_id, household_id."""
        return {
            "record_id": self.record_id,
            "source": self.source,
            "person_id": self.person_id[self.person],
            "household_id": self.household_id[self.household[self.person]],
        }

    def rows_of(self, *names: str) -> Ints:
        """Rows of records in the named sources."""
        return np.flatnonzero(np.isin(self.source.astype(str), names))

    def one_per_person(self, rng: np.random.Generator, *names: str) -> Ints:
        """(persons,) a random row of each person in the named sources, -1 where there is none."""
        rows = rng.permutation(self.rows_of(*names))
        chosen = np.full(len(self.person_id), -1)
        chosen[self.person[rows]] = rows
        return chosen


@attrs.frozen(eq=False, repr=False)
class RecordSet:
    """What the five systems of a brand hold about its people, and the truth.

    Examples
    --------
    >>> records = simulate_records(200, seed=1)
    >>> sorted(records.sources["line_oa"])
    ['display_name', 'line_user_id', 'linked_at', 'linked_email', 'linked_phone', 'record_id']
    """

    sources: Frames
    truth: RecordTruth
    people: People
    contacts: Contacts

    def __repr__(self) -> str:
        return f"RecordSet({self.sources!r}, {self.truth!r})"


def simulate_records(
    n_customers: int,
    *,
    seed: int | np.random.Generator,
    duplicates: float = 0.45,
    noise: float = 1.0,
    progress: Progress | bool = False,
) -> RecordSet:
    """Make people and the records that five systems hold about them.

    Parameters
    ----------
    n_customers : persons
        At least 1. Everybody has at least one record.
    seed : int or Generator
        The same seed gives the same records.
    duplicates : records per person
        Mean number of records beyond the first; 0 means that no person has two. Long-tailed: some have many.
    noise : factor
        Scales the rates of typing slips, missing cells, junk and swaps; 0 turns them off. Rival spellings,
        nicknames, formats and out-of-date values stay: they are habits, not errors.
    progress : callable or bool
        Called with the stage, steps done and steps in all.

    Returns
    -------
    RecordSet
        Tables of plain columns; record ids are opaque and rows in random order.

    Raises
    ------
    OutOfRange
        If a number is negative or there is nobody.

    Examples
    --------
    >>> records = simulate_records(1000, seed=7, duplicates=0.0)
    >>> len(records.truth), len(set(records.truth.person.tolist()))
    (1000, 1000)
    """
    for name, value, low in (("n_customers", n_customers, 1), ("duplicates", duplicates, 0), ("noise", noise, 0)):
        if not value >= low:
            raise OutOfRange(name, value, f"{low} or more", "see the parameters of simulate_records")
    report = reporter(progress)
    rng = children(np.random.default_rng(seed), "people", "contacts", "spread", "write", "ids")
    steps = 3 + len(SOURCES)
    people = simulate_people(n_customers, rng=rng["people"])
    report("records", 1, steps)
    contacts = simulate_contacts(people, rng=rng["contacts"])
    report("records", 2, steps)
    spread = _spread(rng["spread"], n_customers, duplicates)
    writers = children(rng["write"], *SOURCES)
    ids = children(rng["ids"], "record", "person", "household")
    record_id = opaque_ids(ids["record"], sum(len(who) for who, _ in spread.values()))
    tables: dict[str, Columns] = {}
    begin = 0
    for step, (source, (who, time)) in enumerate(spread.items()):
        made = sources.WRITERS[source](writers[source], people, contacts, who, time, noise)
        tables[source] = {"record_id": record_id[begin : begin + len(who)], **made}
        begin += len(who)
        report("records", 3 + step, steps)
    truth = RecordTruth(
        record_id,
        np.repeat(texts(list(spread)), [len(who) for who, _ in spread.values()]),
        np.concatenate([who for who, _ in spread.values()]),
        np.concatenate([time for _, time in spread.values()]),
        opaque_ids(ids["person"], n_customers, prefix="p-"),
        people.household,
        opaque_ids(ids["household"], int(people.household.max()) + 1, prefix="h-"),
    )
    report("records", steps, steps)
    return RecordSet(Frames(tables), truth, people, contacts)


def _spread(rng: np.random.Generator, n: int, duplicates: float) -> dict[str, tuple[Ints, NDArray[np.datetime64]]]:
    """Who has a record where and when: the first one of everybody, and a long-tailed number of further ones."""
    r = children(rng, "first", "count", "again", "order", "time")
    first = draw(r["first"], FIRST_SHARE, n)
    busy = r["count"].gamma(0.55, 1 / 0.55, n)  # some people are known everywhere, most only once
    extra = np.minimum(r["count"].poisson(duplicates * busy), 40)
    who = np.concatenate([np.arange(n), np.repeat(np.arange(n), extra)])
    where = np.concatenate([first, draw(r["again"], AGAIN_SHARE, int(extra.sum()))])
    order = r["order"].permutation(len(who))
    who, where = who[order], where[order]
    seconds = int((LAST_DAY - FIRST_DAY).astype(int)) * 86_400
    ago = r["time"].beta(1.0, 1.4, len(who)) * seconds  # more of them recent
    time = LAST_DAY.astype("datetime64[us]") - ago.astype(np.int64).astype("timedelta64[s]")
    return {name: (who[where == s], time[where == s]) for s, name in enumerate(SOURCES)}
