"""What can be set in the composition is what its page says, with the same defaults."""

import re

from tests.support.paths import ROOT

DOCKER = ROOT / "docker"
PAGE = (ROOT / "docs" / "deployment.md").read_text()
COMPOSITION = (DOCKER / "compose.yaml").read_text()
PROXY = (DOCKER / "proxy" / "bin" / "settings").read_text()


def settings() -> dict[str, str]:
    """Variables of the composition and their defaults, of which the proxy has some."""
    own = re.findall(r"\$\{(RVAE_\w+):-([^}]*)\}", COMPOSITION)
    of_proxy = re.findall(r'"\$\{(RVAE_\w+):=([^}]*)\}"', PROXY)
    return dict([*own, *of_proxy])


def told() -> dict[str, str]:
    """Those in the tables of the page, where a default is not said in words."""
    found: dict[str, str] = {}
    for names, values in re.findall(r"^\| (`RVAE_[^|]*) \| ([^|]*) \|", PAGE, re.MULTILINE):
        variables, defaults = (re.findall(r"`([^`]+)`", cell) for cell in (names, values))
        if values.endswith(" each"):
            defaults *= len(variables)
        found |= dict(zip(variables, defaults, strict=bool(defaults)))
    return found


def test_the_proxy_is_passed_each_of_its_settings() -> None:
    passed = set(re.findall(r"^ +- (RVAE_\w+)$", COMPOSITION, re.MULTILINE))
    assert passed == set(re.findall(r'"\$\{(RVAE_\w+):=', PROXY))


def test_defaults_are_those_that_the_page_says() -> None:
    assert len(told()) > 20
    assert told().items() <= settings().items()


def test_the_page_names_every_setting() -> None:
    assert [name for name in settings() if f"`{name}" not in PAGE] == []
