"""RFM and ties: `python -m benchmarks.peers.rfm`: how many equal customers the popular recipe scores differently."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Table, data_dir, say


def split_share(values: Any, scores: Any) -> float:
    """Share of customers in groups of equal value that hold different scores."""
    _, group = np.unique(values, return_inverse=True)
    low, high = np.full(group.max() + 1, 99), np.zeros(group.max() + 1, np.int64)
    np.minimum.at(low, group, scores)
    np.maximum.at(high, group, scores)
    return float((low != high)[group].mean())


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Score the buyers of online_retail both ways and store the shares."""
    import pandas as pd

    from crmcore.idic.differentiate import rfm

    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    lines = pd.read_csv(data_dir() / "online_retail" / "lines.csv.gz")
    lines = lines[lines.CustomerID.notna() & (lines.Quantity > 0) & (lines.UnitPrice > 0)]
    frequency = lines.groupby("CustomerID").InvoiceDate.nunique()
    recipe = pd.qcut(frequency.rank(method="first"), 5, labels=False).to_numpy() + 1
    ours = rfm.score_values(frequency.to_numpy(), rfm.cut_points(frequency.to_numpy()))
    rows = [
        {"recipe": name, "customers": len(frequency), "equal but scored differently": split_share(frequency, s)}
        for name, s in (("qcut of rank(method='first')", recipe), ("crmcore", ours))
    ]
    Table(
        name="peers-rfm-ties", section="peers", title="RFM: equal customers, equal scores", order=40,
        about="Share of the buyers of online_retail whose frequency equals that of a buyer with another F score.",
        rows=rows, key=("recipe",),
    ).save(folder)  # fmt: skip
    say("; ".join(f"{r['recipe']}: {r['equal but scored differently']:.1%}" for r in rows))


if __name__ == "__main__":
    main()
