"""Customer relationship management as a library of plain functions over typed values and columns.

Rooms: `idic.identify`, `idic.differentiate`, `idic.interact`, `idic.customize`, `touchpoints`, `listening`, `recovery`;
engines: `metrics`, `linkage` and others; `flows` joins rooms. Importing this package loads nothing but itself.
"""

from crmcore._version import __version__

__all__ = ["__version__"]
