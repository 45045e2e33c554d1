"""A public name stays what the table of contents promises, whichever module was imported first."""

from __future__ import annotations

import subprocess
import sys

import pytest


def said(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "first", ["from crmcore.idic.identify.resolve import Rules", "import crmcore.idic.identify.resolve", "pass"]
)
def test_a_function_that_bears_the_name_of_its_module_stays_a_function(first: str) -> None:
    use = "from crmcore.idic import identify; print(callable(identify.resolve), callable(identify.resolve))"
    assert said(f"{first}\n{use}") == "True True"


def test_flows_report_is_the_function_and_its_module_can_still_be_imported() -> None:
    code = """
from crmcore.flows.report import report as inner
from crmcore import flows
print(flows.report is inner, flows.report is inner)
"""
    assert said(code) == "True True"
