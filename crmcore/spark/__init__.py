"""Beyond one machine: the same kernels inside Apache Spark, which moves the data in Arrow batches.

`start` or `ready` a session; `per_customer` and `aggregate` run any kernel of columns; `link` and `resolve` tell which
records are one customer. `chunked` runs the same kernels over Parquet larger than memory on one machine, without Spark.
Needs `crmcore[spark]` and Java 17; nothing else in crmcore imports this package.
"""

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.spark.linking import SparkLinkage, link
    from crmcore.spark.resolving import SparkPeople, resolve
    from crmcore.spark.running import aggregate, per_customer
    from crmcore.spark.sessions import ready, start

__all__ = ["SparkLinkage", "SparkPeople", "aggregate", "link", "per_customer", "ready", "resolve", "start"]

__getattr__ = lazy_names(
    __name__,
    {
        "SparkLinkage": ".linking",
        "SparkPeople": ".resolving",
        "aggregate": ".running",
        "link": ".linking",
        "per_customer": ".running",
        "ready": ".sessions",
        "resolve": ".resolving",
        "start": ".sessions",
    },
)
