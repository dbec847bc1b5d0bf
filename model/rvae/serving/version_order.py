"""The order of versions, as people order them."""

import re
from functools import cache
from typing import Any

from packaging.version import Version

__all__ = ["version_key"]

DATE = re.compile(r"([0-9]{4})[-_.]([0-9]{1,2})[-_.]([0-9]{1,2})")


def version_key(version: str) -> tuple[Any, ...]:
    """What to sort versions by: a total order of any texts.

    Numbers count as numbers: 2.0 < 10.0, v2 < v10, 2026-9-30 < 2026-10-01. What comes before a
    release is less than the release: 2.0rc1 < 2.0. Text that is no version is less than every
    version, and its numbers count as numbers, too: build-9 < build-10 < 0.1.
    """
    date = DATE.fullmatch(version)
    try:
        known = Version(".".join(date.groups()) if date else version)
    except ValueError:  # InvalidVersion, or more digits than Python converts
        return False, _natural(version), version
    # 1.0 and v1 are equal as versions.
    return True, known, _natural(version), version


@cache
def _natural(text: str) -> Any:
    from natsort import natsort_keygen  # of a server's environment, as most of this room

    return natsort_keygen()(text)
