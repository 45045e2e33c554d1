"""The listening pipeline: `python -m benchmarks.speed.listening [--sizes 20000,200000]`: posts a second on one thread.

Query, language, copies, spam and sentiment over made-up posts, and many queries over one table.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say
from benchmarks.peers.sentiment import THINGS, texts

BAR = 5000.0
QUERY_BAR = 10.0


def pipeline(n: int) -> Row:
    """Seconds of the parts for n posts."""
    from crmcore.listening.cleaning import Cleaner, clean
    from crmcore.listening.queries import Matcher, match
    from crmcore.listening.sentiment import default_model
    from crmcore.tables import MentionTable

    posts = MentionTable.from_frame(
        {"text": texts(n), "author": [f"@u{i % 4999}" for i in range(n)], "mention_id": list(range(n))}
    )
    model = default_model()
    model.probabilities(["fine"])
    clean(posts.take(range(10)))
    with Meter() as query:
        read = Matcher(posts)
        held = match({"ours": "flight OR luggage", "rival": "app AND NOT hotel", "near": "never NEAR/2 arrived"}, read)
    with Meter() as cleaning:
        cleaned = Cleaner().clean(posts, batch=read.batch)
    with Meter() as sentiment:
        model.probabilities(posts.text.to_list())
    assert held.held.any()
    assert len(cleaned) == n
    parts = {"query": query, "clean": cleaning, "sentiment": sentiment}
    seconds = {f"{name}_s": meter.cost.wall_s for name, meter in parts.items()}
    return {"wall_s": sum(seconds.values()), **seconds}


def queries(n: int) -> Row:
    """Seconds of 100 queries over n texts, tokenising included."""
    from crmcore.listening.queries import match
    from crmcore.tables import MentionTable

    posts = MentionTable.from_frame({"text": texts(n)})
    asked = {
        f"q{i}": f'{THINGS[i % 15]} AND (late OR rude OR "not working" OR great*) NOT {THINGS[(i + 4) % 15]}'
        if i % 2
        else f"{THINGS[i % 15]} NEAR/{2 + i % 5} (never OR worst OR cheap)"
        for i in range(100)
    }
    with Meter() as meter:
        match(asked, posts)
    return {"wall_s": meter.cost.wall_s}


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="20000,200000")
    parser.add_argument("--query-size", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "N"))
    given = parser.parse_args(arguments)
    if given.child:
        what, n = given.child
        answer((pipeline if what == "pipeline" else queries)(int(n)))
        return
    sizes = [int(s) for s in given.sizes.split(",")]
    jobs = {f"pipeline {n}": ("pipeline", str(n)) for n in sizes} | {"queries": ("queries", str(given.query_size))}
    got = in_turns("benchmarks.speed.listening", jobs, repeats=given.repeats)
    rows: list[Row] = []
    for n in sizes:
        parts = {name: middle(got[f"pipeline {n}"], f"{name}_s") for name in ("query", "clean", "sentiment")}
        speed = n / sum(parts.values())
        each = {f"{name} s": seconds for name, seconds in parts.items()}
        rows.append(
            {"job": "query, clean, score", "posts": n, **each, "posts/s": speed, "bar": BAR, "met": speed >= BAR}
        )
        say(f"{n:,} posts: {speed:,.0f} posts/s ({', '.join(f'{k} {v:.1f}' for k, v in each.items())})")
    seconds = middle(got["queries"], "wall_s")
    rows.append(
        {
            "job": "100 queries", "posts": given.query_size, "query s": seconds, "posts/s": given.query_size / seconds,
            "bar": f"{QUERY_BAR:.0f} s", "met": seconds <= QUERY_BAR,
        }
    )  # fmt: skip
    say(f"100 queries over {given.query_size:,} posts: {seconds:.1f} s")
    Table(
        name="speed-listening", section="speed", title="Listening", order=72,
        about="Posts a second on one thread, vocabulary cold, each job in a fresh process; trends are measured apart.",
        rows=rows, key=("job", "posts"),
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
