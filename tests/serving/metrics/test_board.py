"""The board as Grafana reads it, and how it comes to be there."""

import configparser
import json
from typing import Any

import yaml

from tests.support.monitoring import MONITORING, VARIABLES, alert_rules

BOARD = json.loads((MONITORING / "dashboard.json").read_text())
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
GRAFANA = MONITORING / "grafana"


def test_panels_lie_beside_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
    numbers = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_every_panel_says_what_it_shows_in_which_unit() -> None:
    titles = [panel["title"] for panel in PANELS]
    assert len(set(titles)) == len(titles)
    for panel in PANELS:
        assert panel["type"] in ("stat", "timeseries", "heatmap"), panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        references = [target["refId"] for target in panel["targets"]]
        assert references == list("ABCDEFG"[: len(references)]), panel["title"]
        for asked in (panel, *panel["targets"]):
            assert asked["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_alerts_that_panels_name_exist() -> None:
    names = {rule["alert"] for rule in alert_rules()}
    for panel in PANELS:
        words = panel["description"].replace(",", " ").replace(".", " ").replace(":", " ").split()
        assert {word for word in words if word.startswith("Rvae")} <= names, panel["title"]


def test_a_reader_can_choose_what_queries_leave_open() -> None:
    variables = {f"${one['name']}" for one in BOARD["templating"]["list"]}
    assert variables == set(VARIABLES) - {"$__rate_interval"} | {"$datasource"}


def provisioned(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((GRAFANA / name).read_text())
    return content


def test_the_board_and_its_sources_are_there_without_a_click() -> None:
    sources = {one["type"]: one for one in provisioned("datasources.yml")["datasources"]}
    default = [one["type"] for one in sources.values() if one.get("isDefault")]
    assert default == ["prometheus"]  # which the board's variable begins with
    assert sources["prometheus"]["jsonData"]["alertmanagerUid"] == sources["alertmanager"]["uid"]
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    assert sources["prometheus"]["jsonData"]["timeInterval"] == config["global"]["scrape_interval"]
    (provider,) = provisioned("boards.yml")["providers"]
    assert not provider["allowUiUpdates"]
    home = settings()["dashboards"]["default_home_dashboard_path"]
    assert home.startswith(provider["options"]["path"] + "/")


def test_grafana_lets_nobody_in_without_a_password_and_asks_nobody_outside() -> None:
    found = settings()
    assert found["security"]["admin_password"] == "$__file{/run/secrets/grafana_password}"
    asked = [
        ("auth.anonymous", "enabled"),
        ("users", "allow_sign_up"),
        ("analytics", "reporting_enabled"),
        ("analytics", "check_for_updates"),
        ("analytics", "check_for_plugin_updates"),
        ("news", "news_feed_enabled"),
        ("snapshots", "external_enabled"),
        ("public_dashboards", "enabled"),
    ]
    assert {found[section][key] for section, key in asked} == {"false"}
    assert (
        found["security"]["disable_gravatar"] == found["plugins"]["preinstall_disabled"] == "true"
    )


def settings() -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None)
    found.read(GRAFANA / "grafana.ini")
    return found
