import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.serving.contract.formats.csv import CSV
from rvae.serving.contract.messages import Request
from rvae.serving.contract.outputs import OUTPUTS

LIMIT = 1 << 20  # bytes of an answer


def test_the_example_is_a_table_with_fields_in_the_header() -> None:
    assert CSV.example is not None
    body = CSV.example.encode()
    fields, table = CSV.decode(body, Request(body, options='{"stride": 2}'))
    assert fields == {"stride": 2}
    assert table.to_pydict() == {"heat": [20.1, 20.4, 19.8], "speed": [3, None, 4]}


def test_columns_are_read_as_they_were_written() -> None:
    text = CSV.encode_table({"a": np.array([1.5, np.nan]), "b": np.array([1, 2])}, LIMIT)
    assert CSV.decode_table(text).to_pydict() == {"a": [1.5, None], "b": [1, 2]}


def test_a_cell_has_no_place_for_more_than_one_axis() -> None:
    CSV.require_outputs((OUTPUTS["score"], OUTPUTS["latent"]), None)
    with pytest.raises(FieldError, match="contributions cannot be written as CSV") as caught:
        CSV.require_outputs((OUTPUTS["score"], OUTPUTS["contributions"]), None)
    assert caught.value.field == "output"
