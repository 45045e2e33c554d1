"""Importing the entrance of identify loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_readers_loads_no_heavy_library() -> None:
    code = (
        "import sys, crmcore.idic.identify.readers, crmcore.idic.identify.normalize\n"
        "heavy = {'pandas', 'polars', 'pyarrow', 'phonenumbers', 'anyascii', 'narwhals', 'scipy.stats', 'nltk'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
