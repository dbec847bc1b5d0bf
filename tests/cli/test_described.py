"""The description of a model in lines."""

from rvae.cli.described import aligned, described_lines
from rvae.inference.engine import Engine
from rvae.serving.contract.description import describe


def test_a_description_needs_no_file(engine: Engine) -> None:
    lines = dict(described_lines(describe(engine.card, "sha256:1", {"torch": "2"})))
    assert lines["channels"] == "height" and lines["checksum"] == "sha256:1"
    assert lines["size"] == "4 latent units" and lines["read with"] == "torch 2"


def test_the_number_of_parameters_is_told_where_it_is_known(engine: Engine) -> None:
    described = {**describe(engine.card, "sha256:1", {}), "parameters": 12345}
    assert dict(described_lines(described))["size"] == "4 latent units, 12,345 parameters"


def test_texts_begin_below_each_other() -> None:
    assert aligned([("a", "1"), ("longer", "2")]) == "a             1\nlonger        2"
