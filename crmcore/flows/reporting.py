"""The report: what was found about a population, on one page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from crmcore._base import Progress, reporter
from crmcore.errors import NaiveDatetime, WrongType
from crmcore.flows.page import Report, Section

if TYPE_CHECKING:
    from crmcore.datasets.brand import Brand
    from crmcore.flows.sections.chapter import Chapter
    from crmcore.idic.identify.people import People

__all__ = ["brand_chapters", "brand_truth", "report"]


def report(
    subject: People | Brand,
    *,
    out: str | os.PathLike[str] | None = None,
    truth: Mapping[str, object] | None = None,
    title: str = "",
    sections: Sequence[Section] = (),
    now: datetime | None = None,
    progress: Progress | bool = False,
) -> Report:
    """Write one self-contained page about customers.

    Parameters
    ----------
    subject : People or Brand
        What `identify.resolve` found; or a simulated brand, whose records are resolved first and whose truth is known.
    out : path, optional
        File to write; HTML without script, about 1 MB with pictures.
    truth : record id -> true customer, optional
        Adds how close the result comes.
    title : text
        Heading of the page.
    sections : further sections, put after the built-in ones
    now : aware datetime, optional
        When the report was made, for its foot.
    progress : callable or bool

    Returns
    -------
    Report
        No personal data in clear.

    Raises
    ------
    WrongType
        The subject is something else.

    Examples
    --------
    >>> from crmcore.idic import identify
    >>> two = [{"name": "Ann Lee", "email": "a@example.org"}, {"name": "Bo Ek", "email": "b@example.org"}]
    >>> found = identify.resolve(two)
    >>> report(found, title="Two people")
    Report('Two people', 1 sections)
    """
    from crmcore.datasets.brand import Brand
    from crmcore.flows.sections.identify import identify_section
    from crmcore.idic.identify.people import People

    if now is not None and now.utcoffset() is None:
        raise NaiveDatetime("now")
    tell = reporter(progress)
    if isinstance(subject, Brand):
        from crmcore.idic.identify.resolving import resolve

        people: object = resolve(dict(subject.sources), progress=tell)
        truth = brand_truth(subject) if truth is None else truth
        title = title or "A simulated brand and its customers"
    else:
        people = subject
    if not isinstance(people, People):
        given = f"a {type(people).__name__}"
        raise WrongType(
            "subject", given, "People or a Brand", "pass what identify.resolve or datasets.simulate_brand returned"
        )
    tell("report", 0, 2)
    found = [identify_section(people, truth)]
    if isinstance(subject, Brand):
        found += [chapter.section() for chapter in brand_chapters(subject, people)]
    page = Report(
        title or "Our customers",
        "From raw records to people: what was read, what it says, who is one person, and how far to trust it. "
        "Personal data are masked.",
        (*found, *sections),
        made=_made(now),
    )
    tell("report", 1, 2)
    if out is not None:
        page.save(out)
    tell("report", 2, 2)
    return page


def _made(now: datetime | None) -> str:
    from crmcore._version import __version__

    when = f" on {now.isoformat(' ', 'minutes')}" if now is not None else ""
    return f"Made with crmcore {__version__}{when}. Intervals are 95%. This page holds no script and fetches nothing."


def brand_chapters(brand: Brand, people: People) -> tuple[Chapter, ...]:
    """What each room finds out about a simulated brand, beside its truth.

    Examples
    --------
    >>> from crmcore.datasets import simulate_brand
    >>> from crmcore.idic import identify
    >>> brand = simulate_brand(300, seed=1)
    >>> for chapter in brand_chapters(brand, identify.resolve(dict(brand.sources))):
    ...     print(chapter.title)
    What they say and do
    How they wander
    What they are worth
    What they say in public
    How we talk with them
    The right thing for each
    What went wrong, and how it was put right
    """
    from crmcore.flows.sections.listen import listen
    from crmcore.flows.sections.measures import measures
    from crmcore.flows.sections.recover import recover
    from crmcore.flows.sections.tailor import tailor
    from crmcore.flows.sections.talk import talk
    from crmcore.flows.sections.wander import wander
    from crmcore.flows.sections.worth import worth

    return tuple(chapter(brand, people) for chapter in (measures, wander, worth, listen, talk, tailor, recover))


def brand_truth(brand: Brand) -> dict[str, str]:
    """True person of each record of a simulated brand, by record id as `resolve` names it ("source:id").

    Examples
    --------
    >>> from crmcore.datasets import simulate_brand
    >>> len(brand_truth(simulate_brand(50, seed=1))) >= 50
    True
    """
    records = brand.truth.records
    person = records.person_id[records.person]
    return {f"{s}:{r}": str(p) for s, r, p in zip(records.source, records.record_id, person, strict=True)}
