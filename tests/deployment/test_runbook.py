"""The runbook has what alerts point at, and names what there is."""

import re

import yaml

from tests.support.monitoring import alert_rules
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "runbook.md").read_text()
HEADINGS = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
COMMANDS = [
    line.strip()
    for block in re.findall(r"^ *```\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


def anchor(heading: str) -> str:
    """What a link to a heading ends with."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_every_alert_has_a_section_that_it_points_at() -> None:
    page = "docs/runbook.md#"
    points_at = {rule["alert"]: rule["annotations"]["runbook"] for rule in alert_rules()}
    assert points_at == {name: page + anchor(name) for name in points_at}
    assert {name for name in HEADINGS if name.startswith("Rvae")} == points_at.keys()


def test_links_within_the_page_lead_somewhere() -> None:
    anchors = {anchor(heading) for heading in HEADINGS}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors


def test_commands_name_services_and_scripts_that_there_are() -> None:
    composition = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
    services = set(composition["services"])
    for line in COMMANDS:
        if found := re.match(r"docker compose (?:exec -T|run --rm) ([\w-]+)", line):
            assert found[1] in services, line
        if found := re.match(r"\./([\w.]+)", line):
            assert (ROOT / "docker" / found[1]).exists(), line
