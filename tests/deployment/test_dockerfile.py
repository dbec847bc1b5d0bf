"""The recipe of the image says what it is, and finds what it copies."""

import re

from rvae import __version__
from tests.support.paths import ROOT

TEXT = (ROOT / "docker" / "Dockerfile").read_text()


def copied() -> set[str]:
    """Paths of the checkout in the recipe."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", TEXT, re.MULTILINE)
    return {path for line in lines for path in line.split()}


def test_its_version_is_that_of_the_package() -> None:
    assert f'org.opencontainers.image.version="{__version__}"' in TEXT


def test_the_engine_is_sent_what_it_copies_and_little_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[0] == "*"
    assert copied() <= {line[1:] for line in lines if line.startswith("!")}
    for pattern in copied():
        assert list(ROOT.glob(pattern)), pattern
