"""Labelled cases of identity resolution: data sets as they are, made harder, and simulated ones with known truth.

Each case is what a user holds: named sources of plain columns. The truth never is an input. Data sets are read from
`CRMCORE_DATA` (or ../shared/data beside the repository); seeds of all samples are fixed.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import attrs

from benchmarks.common import data_dir
from crmcore.idic.identify import Rules

Record = dict[str, str]
Columns = Mapping[str, Sequence[Any]]

FEBRL_ADDRESS = ("street_number", "address_1", "address_2", "suburb", "postcode", "state")


@attrs.frozen
class Case:
    """Sources, and whose each record ("source:id") is."""

    sources: Mapping[str, Columns]
    truth: Mapping[str, str]
    rules: Rules | None = None


@attrs.frozen(kw_only=True)
class Spec:
    """A case that is made when it is asked for.

    Attributes
    ----------
    name : as it is called everywhere
    make : makes it
    data : folders that it needs
    group : "sets", "variants", "no duplicates" or "simulated"
    """

    name: str
    make: Callable[[], Case]
    data: tuple[str, ...] = ()
    group: str

    def missing(self) -> list[str]:
        """Data sets that are not there."""
        return [d for d in self.data if not (data_dir() / d / "records.csv.gz").is_file()]


@lru_cache(maxsize=8)
def rows(name: str) -> tuple[Record, ...]:
    """Records of one data set, in file order."""
    with gzip.open(data_dir() / name / "records.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def case(name: str, records: Iterable[Record], *, drop: Sequence[str] = ()) -> Case:
    """One source without its truth, and without the columns in `drop`."""
    held = list(records)
    fields = [f for f in held[0] if f != "cluster" and f not in drop]
    columns = {f: [r[f] for r in held] for f in fields}
    return Case({name: columns}, {f"{name}:{r['unique_id']}": r["cluster"] for r in held})


def third(records: Sequence[Record]) -> list[Record]:
    """All records of one entity in three."""
    entities = sorted({r["cluster"] for r in records})
    keep = set(random.Random(7).sample(entities, len(entities) // 3))
    return [r for r in records if r["cluster"] in keep]


def at_most(records: Sequence[Record], most: int) -> list[Record]:
    """At most so many records of an entity, in random order."""
    held = list(records)
    random.Random(8).shuffle(held)
    seen: Counter[str] = Counter()
    out = []
    for r in held:
        if seen[r["cluster"]] < most:
            seen[r["cluster"]] += 1
            out.append(r)
    return out


def _one_each(name: str) -> list[Record]:
    return at_most(rows(name), 1)


def two_sources() -> Case:
    """febrl2: of every entity at most one record in either source, so that all that can be found are links across."""
    rng = random.Random(11)
    by_entity: dict[str, list[Record]] = {}
    for r in at_most(rows("febrl2"), 2):
        by_entity.setdefault(r["cluster"], []).append(r)
    left: list[Record] = []
    right: list[Record] = []
    for held in by_entity.values():
        if len(held) == 2:
            left.append(held[0])
            right.append(held[1])
        else:
            rng.choice((left, right)).append(held[0])
    a, b = case("shop", left), case("web", right)
    return Case({**a.sources, **b.sources}, {**a.truth, **b.truth}, Rules(one_to_one=("shop", "web")))


def one_error() -> list[Record]:
    """9,000 persons drawn from the value shares of rldata500, and 1,000 duplicates with one error each."""
    source, rng = rows("rldata500"), random.Random(9)
    columns = ("fname_c1", "lname_c1", "by", "bm", "bd")
    persons = [[rng.choice(source)[c] for c in columns] for _ in range(9_000)]
    again = rng.sample(range(9_000), 1_000)
    made = list(enumerate(persons)) + [(k, _with_error(persons[k], rng)) for k in again]
    rng.shuffle(made)
    return [
        {"unique_id": str(i), "cluster": str(k), **dict(zip(columns, values, strict=True))}
        for i, (k, values) in enumerate(made)
    ]


def _with_error(values: Sequence[str], rng: random.Random) -> list[str]:
    out = list(values)
    field = rng.choice((0, 0, 1, 1, 2, 3, 4))
    word = out[field]
    if field < 2:
        at, letter = rng.randrange(len(word)), rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        out[field] = rng.choice((
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1 :] or "A",
            word[:at] + letter + word[at:],
            word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
        ))  # fmt: skip
    elif field == 2:
        out[field] = str(int(word) + rng.choice((-10, -1, 1, 10)))
    else:
        out[field] = str(rng.randint(1, 12 if field == 3 else 28))
    return out


def brand(n: int, **options: Any) -> Case:
    """Five systems of a simulated brand: other columns, formats, scripts and errors in each."""
    from crmcore.datasets import simulate_records

    made = simulate_records(n, seed=21, **options)
    truth = made.truth.columns()
    ids = [f"{s}:{r}" for s, r in zip(truth["source"], truth["record_id"], strict=True)]
    sources = {name: {c: list(v) for c, v in table.items()} for name, table in made.sources.items()}
    return Case(sources, dict(zip(ids, truth["person_id"], strict=True)))


def firms(n: int) -> Case:
    """Companies written in many ways, and sister companies that are not the same."""
    from crmcore.datasets import organisations

    made = organisations(n, seed=22)
    columns = {c: list(v) for c, v in made.records.items()}
    whose = zip(columns["record_id"], made.organisation.tolist(), strict=True)
    return Case({"firms": columns}, {f"firms:{record}": str(firm) for record, firm in whose})


def specs() -> dict[str, Spec]:
    """All cases, in the order in which they are shown."""
    out: list[Spec] = []

    def add(
        group: str, name: str, data: str, pick: Callable[[], Iterable[Record]] | None = None, drop: Sequence[str] = ()
    ) -> None:
        out.append(
            Spec(
                name=name, group=group, data=(data,), make=lambda: case(data, pick() if pick else rows(data), drop=drop)
            )
        )

    for name in ("febrl1", "febrl2", "febrl3", "fake_1000", "historical_50k_a", "households_dev", "rldata500"):
        add("sets", name, name)
    v = "variants"
    add(v, "febrl3, names + birth date", "febrl3", drop=(*FEBRL_ADDRESS, "soc_sec_id"))
    add(v, "febrl3, names + address", "febrl3", drop=("date_of_birth", "soc_sec_id"))
    out.append(Spec(name="febrl2 in two sources, links only", group=v, data=("febrl2",), make=two_sources))
    add(v, "fake_1000 without e-mail", "fake_1000", drop=("email",))
    add(v, "historical, a third", "historical_50k_a", lambda: third(rows("historical_50k_a")))
    add(v, "historical, at most 2 an entity", "historical_50k_a", lambda: at_most(rows("historical_50k_a"), 2))
    add(v, "historical without birth date", "historical_50k_a", drop=("dob",))
    add(v, "historical without postcode", "historical_50k_a", drop=("postcode_fake",))
    add(v, "households without e-mail", "households_dev", drop=("email",))
    add(v, "households without birth date", "households_dev", drop=("dob",))
    add(v, "households, names + birth date + city", "households_dev", drop=("phone", "street", "postcode", "email"))
    add(v, "households, names + phone + address", "households_dev", drop=("dob", "email"))
    add(v, "9,000 + 1,000 one-error, names + birth date", "rldata500", one_error)
    for name, data in (("febrl3", "febrl3"), ("historical", "historical_50k_a"), ("households", "households_dev")):
        add("no duplicates", f"{name}, 1 record an entity", data, partial(_one_each, data))
    s = "simulated"
    out.append(Spec(name="brand, 5 sources", group=s, make=lambda: brand(6_000)))
    out.append(Spec(name="brand, no duplicates", group=s, make=lambda: brand(3_000, duplicates=0.0)))
    out.append(Spec(name="companies", group=s, make=lambda: firms(3_000)))
    return {spec.name: spec for spec in out}
