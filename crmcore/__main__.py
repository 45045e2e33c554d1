"""The main job on a command line: records in, customers and one report out.

`python -m crmcore` simulates a brand and compares what it finds with the known truth; `python -m crmcore FILES` reads
yours.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from crmcore._base import Progress
from crmcore.errors import CrmError, MissingColumn, OutOfRange

if TYPE_CHECKING:
    from crmcore.flows import Chapter
    from crmcore.idic.identify.people import People

__all__ = ["main"]

Truth = Mapping[str, object] | None
Chapters = tuple["Chapter", ...]
CARE = ("eager", "balanced", "careful")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 2 the input cannot be used.

    Examples
    --------
    >>> main(["no-such-file.csv", "--quiet"])
    2
    """
    chosen = _parser().parse_args(arguments)
    began = time.perf_counter()
    line = None if chosen.quiet else _ProgressLine(sys.stderr)
    try:
        people, truth, head, chapters = _own(chosen, line) if chosen.files else _simulated(chosen, line)
        written = _write(people, truth, chapters, chosen, line)
        _end(line)
        found = (people, truth, chapters)
        print(_summary(found, head, written, time.perf_counter() - began), flush=True)
    except BrokenPipeError:  # whoever reads the summary has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (CrmError, OSError) as error:
        _end(line)
        print(f"crmcore: {_plain(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        _end(line)
        print("crmcore: stopped", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m crmcore",
        description="Find out which records are one customer, and write a report about it as one HTML page. "
        "Without files a brand with known truth is simulated, and the result is compared with it.",
    )
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="CSV, Parquet, JSON lines or vCard files, or one folder of them"
    )
    parser.add_argument(
        "--customers", type=int, default=5000, metavar="N", help="people to simulate (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the simulation and of sampling (default %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("crmcore-report.html"), metavar="PAGE", help="the report (default %(default)s)"
    )
    parser.add_argument("--profiles", type=Path, metavar="CSV", help="also write one row per customer, values in clear")
    parser.add_argument("--save-model", type=Path, metavar="JSON", help="also write the fitted model")
    parser.add_argument(
        "--truth", metavar="COLUMN", help="a column of your files that names the true customer: used for scores only"
    )
    parser.add_argument(
        "--region", metavar="XX", help="region of local telephone numbers, such as TH (default: found out)"
    )
    parser.add_argument(
        "--care", choices=CARE, default="balanced", help="how much evidence a merge needs (default %(default)s)"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")
    return parser


def _simulated(chosen: argparse.Namespace, line: Progress | None) -> tuple[People, Truth, str, Chapters]:
    from crmcore.datasets import simulate_brand
    from crmcore.flows.reporting import brand_chapters, brand_truth
    from crmcore.idic import identify

    if chosen.truth is not None:
        raise OutOfRange(
            "--truth",
            chosen.truth,
            "a column of your own files",
            "name files, or leave it out: the simulation knows its truth",
        )
    brand = simulate_brand(chosen.customers, seed=chosen.seed, progress=line or False)
    people = identify.resolve(
        dict(brand.sources), care=chosen.care, default_region=chosen.region, seed=chosen.seed, progress=line or False
    )
    head = f"a simulated brand of {chosen.customers:,} people (seed {chosen.seed})"
    return people, brand_truth(brand), head, brand_chapters(brand, people)


def _own(chosen: argparse.Namespace, line: Progress | None) -> tuple[People, Truth, str, Chapters]:
    from crmcore.idic import identify

    paths = [Path(f) for f in chosen.files]
    schema = identify.Schema.infer(overrides=None if chosen.truth is None else {chosen.truth: None})
    table = identify.read(paths[0] if len(paths) == 1 else paths, schema)
    people = identify.resolve(
        table, schema=schema, care=chosen.care, default_region=chosen.region, seed=chosen.seed, progress=line or False
    )
    if chosen.truth is None:
        return people, None, ", ".join(table.sources), ()
    if chosen.truth not in table.columns:
        raise MissingColumn(chosen.truth, tuple(table.columns), "the files")
    known = zip(table.record_id.tolist(), table.columns[chosen.truth].to_list(), strict=True)
    return people, {str(r): t for r, t in known if t is not None}, ", ".join(table.sources), ()


def _write(
    people: People, truth: Truth, chapters: Chapters, chosen: argparse.Namespace, line: Progress | None
) -> list[tuple[str, Path]]:
    from crmcore import flows

    title = "Our customers" if chosen.files else "A simulated brand and its customers"
    now = datetime.now(UTC)
    more = [chapter.section() for chapter in chapters]
    flows.report(people, out=chosen.out, truth=truth, title=title, sections=more, now=now, progress=line or False)
    written = [("report", chosen.out)]
    if chosen.profiles is not None:
        _write_profiles(people, chosen.profiles)
        written.append(("profiles", chosen.profiles))
    if chosen.save_model is not None:
        chosen.save_model.write_text(json.dumps(people.model.to_dict()) + "\n", encoding="utf-8")
        written.append(("model", chosen.save_model))
    return written


def _write_profiles(people: People, path: Path) -> None:
    """One row per customer; several values of one field are joined by " | ". No frame library is needed."""
    profiles = people.profiles
    columns = []
    for golden in profiles.golden.values():
        texts, start = golden.texts(profiles.text), golden.start.tolist()
        columns.append([" | ".join(texts[a:b]) for a, b in itertools.pairwise(start)])
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["customer_id", "records", *profiles.golden])
        sizes = (profiles.members.start[1:] - profiles.members.start[:-1]).tolist()
        out.writerows(zip(profiles.customers.ids, sizes, *columns, strict=True))


def _summary(found: tuple[People, Truth, Chapters], head: str, written: list[tuple[str, Path]], seconds: float) -> str:
    people, truth, chapters = found
    n_sources = len(people.table.sources)
    lines = [f"{head}: {len(people.table):,} records of {n_sources} source{'s' * (n_sources != 1)}", ""]
    if truth is None:
        lines.append(f"  customers found   {len(people):,}")
    else:
        lines += _scores(people, truth)
    if chapters:
        lines += _measured(chapters)
    if not _can_draw():
        lines += ["", "  pictures are drawn as text: pip install 'crmcore[charts]' draws them"]
    lines.append("")
    lines += [f"  {what:<16}  {path} ({_size(path)})" for what, path in written]
    return "\n".join([*lines, f"  {'time':<16}  {seconds:.0f} s"])


def _scores(people: People, truth: Mapping[str, object]) -> list[str]:
    """How close the result came to the truth, with 95% intervals."""
    from crmcore.flows.page import short
    from crmcore.flows.sections.quality import between_sources, share_linked_by_values, true_codes

    quality = people.evaluate(truth)
    true = true_codes(people, truth)
    pairs, each = quality.pair_f1, quality.bcubed_f1
    of_pairs = f"precision {quality.pair_precision.value:.3f}, recall {quality.pair_recall.value:.3f}"
    of_each = f"precision {quality.bcubed_precision.value:.3f}, recall {quality.bcubed_recall.value:.3f}"
    reach = short(share_linked_by_values(people, true))
    rows = [
        ("customers found", f"{quality.predicted_entities:,} (true: {quality.true_entities:,})"),
        ("pair F1", f"{short(pairs)}  {of_pairs}"),
        ("B-cubed F1", f"{short(each)}  {of_each}"),
        (
            "linked by values",
            f"{reach}  of true pairs share a value, directly or through others; the rest is at most alike",
        ),
    ]
    lines = [f"  {name:<16}  {said}" for name, said in rows]
    joined = between_sources(people.labels, true, people.table.source, people.table.sources)
    if len(people.table.sources) > 1 and joined:
        wide = max(len(str(p)) for p in joined)
        lines += ["", f"  {'between sources':<{wide}}  {'true pairs':>10}  F1 of pairs [95% interval]"]
        lines += [
            f"  {p!s:<{wide}}  {p.true_pairs:>10,}  {short(p.f1)}" for p in sorted(joined, key=lambda p: -p.true_pairs)
        ]
    return lines


def _measured(chapters: Chapters) -> list[str]:
    """Estimates beside the truth, and whether their 95% intervals hold it."""
    rows = [(check.name.translate(_PLAIN), *check.texts()) for chapter in chapters for check in chapter.checks]
    wide = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = ["", f"  {'measure':<{wide[0]}}  {'estimate [95% interval]':<{wide[1]}}  {'truth':>{wide[2]}}  held"]
    lines += [f"  {name:<{wide[0]}}  {told:<{wide[1]}}  {true:>{wide[2]}}  {held}" for name, told, true, held in rows]
    return lines


_PLAIN = str.maketrans({"\u201c": "", "\u201d": ""})


def _can_draw() -> bool:
    from importlib.util import find_spec

    return find_spec("vl_convert") is not None


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(size // 1000, 1)} kB"


def _plain(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, CrmError):
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return str(error)


def _end(line: _ProgressLine | None) -> None:
    if line is not None:
        line.end()


class _ProgressLine:
    """One line on a terminal that is written over; in a log one line per stage."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._stage = ""
        self._shown = 0.0

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        new, now = stage != self._stage, time.perf_counter()
        if self._live and (new or done >= total or now - self._shown > 0.1):
            share = f" {100 * done // total:3d} %" if total else ""
            self._stream.write(f"\r\033[K{stage} ...{share}")
            self._stream.flush()
            self._shown = now
        elif new and not self._live:
            self._stream.write(f"{stage} ...\n")
            self._stream.flush()
        self._stage = stage

    def end(self) -> None:
        """Leave a clean line behind."""
        if self._live:
            self._stream.write("\r\033[K")
            self._stream.flush()


if __name__ == "__main__":
    sys.exit(main())
