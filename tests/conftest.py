"""What all tests share: Hypothesis profiles and the place of data sets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPO = Path(__file__).resolve().parent.parent

_CALM = [HealthCheck.too_slow, HealthCheck.data_too_large]
# Continuous integration repeats the same examples, so that a red run means a change; machines of people seek new ones.
_SAME = os.environ.get("CI") == "true"
settings.register_profile("default", max_examples=60, deadline=None, suppress_health_check=_CALM, derandomize=_SAME)
settings.register_profile(
    "ci-slow", max_examples=200, deadline=None, suppress_health_check=_CALM, print_blob=True, derandomize=_SAME
)
settings.register_profile("thorough", max_examples=5000, deadline=None, suppress_health_check=_CALM, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_configure(config: pytest.Config) -> None:
    """Give each of several workers one thread of linear algebra: more would wait for each other's cores."""
    if getattr(config.option, "numprocesses", None):
        os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")


@pytest.fixture(scope="session")
def repo() -> Path:
    """Root of the repository."""
    return REPO


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the data sets: CRMCORE_DATA, or ../shared/data beside the repository."""
    place = Path(os.environ.get("CRMCORE_DATA", REPO.parent / "shared" / "data"))
    if not place.is_dir():
        pytest.skip(f"no data sets at {place}: set CRMCORE_DATA to their folder")
    return place
