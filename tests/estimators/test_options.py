"""Options of a training from mappings."""

from pathlib import Path
from typing import Any

import pytest

from rvae.config import DataConfig, RecurrentConfig
from rvae.errors import FieldError
from rvae.estimators.options import merge, parse_options, read_options


def test_sections_become_configurations() -> None:
    plan, reader = parse_options(
        {
            "data": {"path": "a.csv", "window": 8},
            "model": {"recurrent": {"hidden": 5}},
            "reader": {"columns": ["a", "b"]},
        }
    )
    assert plan.data == DataConfig("a.csv", window=8)
    assert plan.model.recurrent == RecurrentConfig(hidden=5)
    assert reader.columns == ("a", "b")


@pytest.mark.parametrize(
    ("sections", "culprit"),
    [
        ({"model": {"laten": 3}}, "laten"),
        ({"model": {"recurrent": {"hiden": 3}}}, "hiden"),
        ({"modle": {}}, "modle"),
        ({"training": {"epochs": "many"}}, "epochs"),
        ({"training": {"epochs": 0}}, "training.epochs"),
        ({"training": 3}, "training"),
    ],
)
def test_errors_name_the_option(sections: dict[str, Any], culprit: str) -> None:
    with pytest.raises(FieldError, match=culprit):
        parse_options({"data": {"path": ""}} | sections)


def test_overrides_take_the_place_of_options_of_the_same_name_on_every_level() -> None:
    options = {"model": {"latent": 3, "recurrent": {"hidden": 5, "depth": 2}}, "output": "a"}
    overrides = {"model": {"recurrent": {"hidden": 6}}, "training": {"epochs": 1}}
    assert merge(options, overrides) == {
        "model": {"latent": 3, "recurrent": {"hidden": 6, "depth": 2}},
        "output": "a",
        "training": {"epochs": 1},
    }
    assert options["model"]["recurrent"] == {"hidden": 5, "depth": 2}


@pytest.mark.parametrize("content", ["a: [", "- 1", "text", "", "\xff"])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(FieldError, match=r"^config: "):
        read_options(path)
