"""Quality of identity resolution with its defaults, without labels: `python -m benchmarks.quality.identity`.

Every case goes through the public door, `identify.resolve`; its columns are understood by themselves. Options:
`--only TEXT` (cases whose name holds it), `--quick` (cases of at most 10,000 records), `--no-spread` (leave out seeds,
budgets and shuffles), `--raise-floors` (raise, never lower, the floors that the tests hold).
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from benchmarks.common import REPO, RESULTS, Row, Table, say
from benchmarks.quality.sets import Case, Spec, specs
from crmcore.idic.identify import People, resolve
from crmcore.linkage import Linkage, LinkageQuality
from crmcore.linkage.blocking import KeySpace

Ints = NDArray[np.int64]

FLOORS = REPO / "tests" / "quality" / "identity_floors.json"
SLACK = 0.002  # a floor stands this much below what was measured: another processor may round otherwise

# What is wanted at least: pair F1 and B-cubed F1.
BARS: Mapping[str, tuple[float, float]] = {
    "febrl1": (0.9995, 0.9997),
    "febrl2": (0.9995, 0.9997),
    "febrl3": (0.9995, 0.9997),
    "fake_1000": (0.970, 0.975),
    "historical_50k_a": (0.960, 0.963),
    "households_dev": (0.970, 0.994),
    "rldata500": (0.98, 0.998),
}
ANY_BAR = (0.90, 0.93)  # of every set and variant
BUDGET_BAR = 0.955  # pair F1 of historical at 5 and at 10 pairs a record
WRONG_BAR = 5.0  # wrong pairs in 10,000 records, where nothing matches

# Splink 5.0.0 on DuckDB, unsupervised, with the settings of its own demos where there is one, measured once on the same
# files: (pair F1 at p >= .95, with the best threshold picked by labels, B-cubed F1 of both).
SPLINK: Mapping[str, tuple[float, float, float, float]] = {
    "febrl1": (0.9950, 1.0000, 0.9975, 1.0000),
    "febrl2": (0.9977, 0.9992, 0.9996, 0.9998),
    "febrl3": (0.9972, 0.9989, 0.9984, 0.9993),
    "fake_1000": (0.8763, 0.9361, 0.9052, 0.9477),
    "historical_50k_a": (0.8357, 0.8416, 0.8584, 0.8740),
    "households_dev": (0.7939, 0.8872, 0.9647, 0.9793),
}


@attrs.frozen(kw_only=True)
class Outcome:
    """One case, resolved and scored."""

    people: People
    quality: LinkageQuality
    seconds: float
    recall: float
    true: Ints  # (n,) entity of each record, -1 unknown

    @property
    def n(self) -> int:
        return len(self.people.table)

    @property
    def f1(self) -> float:
        """Pair F1; NaN where nothing matches."""
        return self.quality.pair_f1.value if self.quality.pair_recall.n else math.nan

    @property
    def b3(self) -> float:
        return self.quality.bcubed_f1.value

    @property
    def wrong(self) -> int:
        """Pairs put together that do not belong together."""
        together = self.quality.pair_precision
        return round(together.n * (1 - together.value)) if together.n else 0


def run(case: Case, **options: Any) -> Outcome:
    """Resolve a case with the defaults (or with `options` of `resolve`), and score it."""
    begin = time.perf_counter()
    people = resolve(case.sources, rules=case.rules, **options)
    seconds = time.perf_counter() - begin
    true = codes(people, case.truth)
    return Outcome(
        people=people,
        quality=people.evaluate(case.truth),
        seconds=seconds,
        recall=candidate_recall(people.linkage, true),
        true=true,
    )


def codes(people: People, truth: Mapping[str, str]) -> Ints:
    """(n,) true entity of each record as a number, -1 = unknown."""
    known: dict[str, int] = {}
    ids = people.table.record_id.tolist()
    return np.array([known.setdefault(truth[r], len(known)) if r in truth else -1 for r in ids], np.int64)


def together(labels: NDArray[np.integer[Any]]) -> tuple[Ints, Ints]:
    """All pairs of records with one label, lower row first; label -1 pairs with nothing."""
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    ranked = labels[order]
    first = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if len(ranked) else np.empty(0, np.int64)
    sizes = np.diff(np.r_[first, len(ranked)])
    lo, hi = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for size in np.unique(sizes[sizes > 1]).tolist():
        members = order[first[sizes == size][:, None] + np.arange(size)]
        i, j = np.triu_indices(size, 1)
        lo.append(members[:, i].ravel())
        hi.append(members[:, j].ravel())
    a, b = np.concatenate(lo), np.concatenate(hi)
    return np.minimum(a, b), np.maximum(a, b)


def candidate_recall(linkage: Linkage, true: Ints) -> float:
    """Share of true pairs that some key of the model puts into a block no larger than its cap; NaN where none is."""
    lo, hi = together(true)
    if not len(lo):
        return math.nan
    model = linkage.model
    space = KeySpace.of(model.select(linkage.records))
    found = np.zeros(len(lo), np.bool_)
    for key in model.keys:
        values = space.values(key)
        ranked = np.sort(values)
        size = np.searchsorted(ranked, values, "right") - np.searchsorted(ranked, values, "left")
        found |= (values[lo] == values[hi]) & (values[lo] != 0) & (size[lo] <= model.cap)
    return float(found.mean())


def bars(spec: Spec, got: Outcome) -> tuple[str, bool]:
    """The bar of a case as text, and whether it is met."""
    if not got.quality.pair_recall.n:
        most = max(1, math.floor(WRONG_BAR * got.n / 10_000))
        return f"<= {most} wrong pairs", got.wrong <= most
    f1, b3 = BARS.get(spec.name, ANY_BAR)
    return f"{f1:g} / {b3:g}", got.f1 >= f1 and got.b3 >= b3


def row(spec: Spec, got: Outcome) -> Row:
    """One line of the tables."""
    bar, met = bars(spec, got)
    q = got.quality
    out: Row = {
        "case": spec.name, "records": got.n, "P": q.pair_precision.value, "R": q.pair_recall.value, "pair F1": got.f1,
        "B3": got.b3, "bar F1 / B3": bar, "met": met, "wrong pairs": got.wrong, "recall of candidates": got.recall,
        "pairs per record": got.people.linkage.n_pairs / got.n, "wall s": got.seconds,
    }  # fmt: skip
    if spec.name in SPLINK:
        at95, best, at95_b3, best_b3 = SPLINK[spec.name]
        out |= {"Splink F1 at .95 / best": f"{at95:.4f} / {best:.4f}", "Splink B3": f"{at95_b3:.4f} / {best_b3:.4f}"}
    elif spec.group == "sets":
        out |= {"Splink F1 at .95 / best": None, "Splink B3": None}
    return out


# --- parts of one case ---------------------------------------------------------------------------------------------


def by_part(got: Outcome) -> list[Row]:
    """Pair scores of each pair of sources, and of pairs with a name that is not written in Latin letters."""
    table = got.people.table
    keep = got.true >= 0
    labels = np.where(keep, got.people.labels, -1)
    n = got.n
    predicted, real = (np.sort(lo * n + hi) for lo, hi in (together(labels), together(got.true)))
    right = np.intersect1d(predicted, real, assume_unique=True)
    foreign = _foreign(got.people)

    def counts(pairs: Ints) -> dict[str, int]:
        lo, hi = pairs // n, pairs % n
        a, b = table.source[lo], table.source[hi]
        k = len(table.sources)
        tally = np.bincount(np.minimum(a, b) * k + np.maximum(a, b), minlength=k * k)
        names = {f"{table.sources[i // k]} - {table.sources[i % k]}": int(c) for i, c in enumerate(tally) if c}
        alien = foreign[lo].astype(int) + foreign[hi]
        return names | {"one name not Latin": int((alien == 1).sum()), "both names not Latin": int((alien == 2).sum())}

    p, t, r = counts(predicted), counts(real), counts(right)
    agree = counts(real[_agree_twice(got.people, real)])
    rows = []
    for name in dict.fromkeys([*t, *p]):
        made, there, good = p.get(name, 0), t.get(name, 0), r.get(name, 0)
        if made + there:
            rows.append({
                "pairs between": name, "true pairs": there,
                "agree in 2 fields": agree.get(name, 0) / there if there else None,
                "P": good / made if made else None, "R": good / there if there else None,
                "pair F1": 2 * good / (made + there),
            })  # fmt: skip
    return rows


def _agree_twice(people: People, pairs: Ints) -> NDArray[np.bool_]:
    """Whether two records hold the same value in two fields at least: what can be found depends on it."""
    records = people.linkage.records
    lo, hi = pairs // len(records), pairs % len(records)
    same = np.zeros(len(pairs), np.int64)
    for column in records.columns:
        same += (column.codes[lo] >= 0) & (column.codes[lo] == column.codes[hi])
    return same >= 2


def _foreign(people: People) -> NDArray[np.bool_]:
    """(n,) whether a name of the record, as it came, holds letters beyond Latin."""
    out = np.zeros(len(people.table), np.bool_)
    for name, column in people.table.columns.items():
        if "name" in name:
            alien = [any(ord(c) > 0x24F and c.isalpha() for c in v) for v in column.values]
            out |= np.array([*alien, False], np.bool_)[column.codes]  # code -1 takes the last
    return out


# --- how steady it is ----------------------------------------------------------------------------------------------


def shuffled(case: Case, seed: int) -> Case:
    """The same records in another order of rows."""
    sources = {}
    for name, columns in case.sources.items():
        n = len(next(iter(columns.values())))
        order = random.Random(seed).sample(range(n), n)
        sources[name] = {c: [v[i] for i in order] for c, v in columns.items()}
    return attrs.evolve(case, sources=sources)


def partition(people: People) -> set[frozenset[str]]:
    """The entities as sets of record ids."""
    held: dict[int, list[str]] = {}
    for record, label in zip(people.table.record_id.tolist(), people.labels.tolist(), strict=True):
        held.setdefault(label, []).append(record)
    return {frozenset(v) for v in held.values()}


def steadiness(spec: Spec, seeds: Sequence[int] = (0, 1, 2, 3, 4)) -> Row:
    """Lowest, median and highest pair F1 over seeds, and whether a shuffle of the rows changes anything."""
    case = spec.make()
    runs = [run(case, seed=s) for s in seeds]
    f1, b3 = sorted(r.f1 for r in runs), sorted(r.b3 for r in runs)
    same = partition(run(shuffled(case, 5)).people) == partition(runs[0].people)
    mid = len(f1) // 2
    return {
        "case": spec.name, "seeds": len(seeds), "F1 lowest": f1[0], "F1 median": f1[mid], "F1 highest": f1[-1],
        "B3 lowest": b3[0], "B3 highest": b3[-1], "same after a shuffle of rows": same,
    }  # fmt: skip


def budgets(spec: Spec, sizes: Sequence[float] = (3, 5, 10)) -> list[Row]:
    """Scores under given budgets of candidate pairs."""
    case = spec.make()
    out = []
    for size in sizes:
        got = run(case, budget=size)
        met = got.f1 >= BUDGET_BAR if size >= 5 else None
        out.append({
            "case": spec.name, "budget per record": f"{size:g}", "pairs per record": got.people.linkage.n_pairs / got.n,
            "recall of candidates": got.recall, "pair F1": got.f1, "B3": got.b3,
            "bar F1": BUDGET_BAR if size >= 5 else None, "met": met, "wall s": got.seconds,
        })  # fmt: skip
    return out


# --- floors --------------------------------------------------------------------------------------------------------


def floors(place: Path = FLOORS) -> dict[str, dict[str, float]]:
    """What the tests hold: case -> lowest pair F1 and B-cubed F1, or most wrong pairs."""
    held: dict[str, dict[str, float]] = json.loads(place.read_text()) if place.exists() else {}
    return held


def raise_floors(found: Mapping[str, Outcome], place: Path = FLOORS) -> None:
    """Raise the floors to what was found; a floor never falls."""
    held = floors(place)
    for name, got in found.items():
        old = held.get(name, {})
        if not got.quality.pair_recall.n:
            held[name] = {"wrong": min(got.wrong + 1, old.get("wrong", math.inf))}
        else:
            now = {"pair_f1": got.f1, "bcubed_f1": got.b3}
            bar = dict(zip(now, BARS.get(name, ANY_BAR), strict=True))
            held[name] = {
                k: max(math.floor((v - SLACK) * 1000) / 1000, bar[k] if v >= bar[k] else 0.0, old.get(k, 0.0))
                for k, v in now.items()
            }
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(held, indent=1, sort_keys=True) + "\n")


# --- all of it -----------------------------------------------------------------------------------------------------

ABOUT = {
    "sets": "Labelled sets through `identify.resolve(...)` as it comes. Splink's columns were measured once on the "
    "same files, at p >= .95 and at the threshold that the labels like best (no user has that one).",
    "variants": "The same sets with evidence taken away, and other shapes of data. The bar is the worst case that is "
    "tolerable anywhere.",
    "no duplicates": "One record an entity: where nothing matches, (almost) nothing may come out.",
    "simulated": "Simulated sources with known truth (`crmcore.datasets`): five systems with other columns, scripts, "
    "formats and errors in each; companies and their sister companies.",
}
TITLES = {
    "sets": "Identity: data sets",
    "variants": "Identity: harder variants",
    "no duplicates": "Identity: no duplicates at all",
    "simulated": "Identity: simulated sources",
}


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure, store in `folder`, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-spread", action="store_true")
    parser.add_argument("--raise-floors", action="store_true")
    given = parser.parse_args(arguments)
    chosen = [s for s in specs().values() if given.only in s.name and not (given.quick and large(s))]
    found: dict[str, Outcome] = {}
    lines: dict[str, list[Row]] = {}
    failed: list[str] = []  # one broken case does not take the others' numbers away
    for spec in chosen:
        if spec.missing():
            say(f"{spec.name}: skipped, no data set {', '.join(spec.missing())}")
            continue
        try:
            got = run(spec.make())
        except Exception as error:
            failed.append(f"{spec.name}: {type(error).__name__}: {error}")
            say(f"FAILED {failed[-1]}")
            continue
        found[spec.name] = got
        lines.setdefault(spec.group, []).append(row(spec, got))
        bar, met = bars(spec, got)
        verdict = f"bar {bar} {'met' if met else 'MISSED'}"
        say(f"{spec.name}: F1 {got.f1:.4f}, B3 {got.b3:.4f}, {got.wrong} wrong, {got.seconds:.1f} s; {verdict}")
        if spec.name == "brand, 5 sources":
            Table(
                name="quality-identity-parts", section="quality", order=14,
                title="Identity: the simulated brand by source pair",
                about="Pairs of records of two systems (or one), and by script of the name. A chat or a call often "
                "leaves little more than a name: beside each is the share of its true pairs that agree in two fields.",
                rows=by_part(got), key=("pairs between",),
            ).save(folder)  # fmt: skip
    for group, rows in lines.items():
        Table(
            name=f"quality-identity-{group.replace(' ', '-')}", section="quality", order=10 + list(TITLES).index(group),
            title=TITLES[group], about=ABOUT[group], rows=rows, key=("case",), arrange=list(specs()),
        ).save(folder)  # fmt: skip
    if given.raise_floors:
        raise_floors(found)
    if not given.no_spread:
        spread = [s for s in chosen if s.name in found and s.group == "sets" and s.name not in ("febrl1", "febrl2")]
        Table(
            name="quality-identity-seeds", section="quality", order=15, title="Identity: seeds and order of rows",
            about="The seed draws the sample on which keys are chosen and weights are fitted.",
            rows=[steadiness(s) for s in spread], key=("case",),
        ).save(folder)  # fmt: skip
        dirty = [s for s in spread if s.name in ("historical_50k_a", "households_dev")]
        Table(
            name="quality-identity-budgets", section="quality", order=16, title="Identity: budgets of candidate pairs",
            about="`budget=` caps the pairs a record that blocking may make; it grows where records match often.",
            rows=[r for s in dirty for r in budgets(s)], key=("case", "budget per record"),
        ).save(folder)  # fmt: skip
    if failed:
        raise SystemExit("\n".join(["failed:", *failed]))


def large(spec: Spec) -> bool:
    """Whether a case has more than 10,000 records."""
    return any(d in ("historical_50k_a", "households_dev") for d in spec.data) or "5 sources" in spec.name


if __name__ == "__main__":
    main()
