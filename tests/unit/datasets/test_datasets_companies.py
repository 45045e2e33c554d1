from __future__ import annotations

import numpy as np
import pytest

from crmcore.datasets import organisations
from crmcore.errors import OutOfRange


def test_the_same_seed_gives_the_same_firms():
    a, b, c = (organisations(200, seed=s) for s in (1, 1, 2))
    assert all(a.records[k].tolist() == b.records[k].tolist() for k in a.records)
    assert a.records["organisation"].tolist() != c.records["organisation"].tolist()


def test_no_duplicates_means_one_record_a_firm():
    firms = organisations(300, seed=1, duplicates=0.0)
    assert sorted(firms.organisation.tolist()) == list(range(300))


def test_a_firm_is_written_in_several_ways():
    firms = organisations(2000, seed=3)
    assert 1.5 < len(firms) / 2000 < 2.1
    spelled = {}
    for o, name in zip(firms.organisation.tolist(), firms.records["organisation"], strict=True):
        spelled.setdefault(o, set()).add(name)
    several = [len(s) for o, s in spelled.items() if (firms.organisation == o).sum() >= 3]
    assert np.mean(several) > 1.8


def test_sister_firms_share_a_stem_but_are_different_firms():
    firms = organisations(2000, seed=3, noise=0.0)
    groups = {}
    for g, o in zip(firms.group.tolist(), firms.organisation.tolist(), strict=True):
        groups.setdefault(g, set()).add(o)
    assert 0.25 < np.mean([len(s) > 1 for s in groups.values()]) < 0.35
    for g in [g for g, s in groups.items() if len(s) > 1][:50]:
        sites = {w for w, k in zip(firms.records["website"], firms.group, strict=True) if k == g}
        assert len({w.split("-")[0] for w in sites}) == 1
        assert len(sites) == len(groups[g])


def test_a_tax_number_belongs_to_one_firm():
    firms = organisations(1500, seed=5)
    owner = {}
    for tax, o in zip(firms.records["tax_id"], firms.organisation.tolist(), strict=True):
        assert tax is None or owner.setdefault(tax, o) == o


def test_an_empty_world_is_refused():
    with pytest.raises(OutOfRange):
        organisations(0, seed=1)
