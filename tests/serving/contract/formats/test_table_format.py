import pytest

from rvae.errors import FieldError
from rvae.serving.contract.formats.arrow import ARROW
from rvae.serving.contract.outputs import OUTPUTS


@pytest.mark.parametrize(
    "names", [("score", "latent"), ("reconstruction", "band", "point_scores"), ("events",)]
)
def test_a_table_holds_outputs_whose_rows_are_alike(names: tuple[str, ...]) -> None:
    ARROW.require_outputs(tuple(OUTPUTS[name] for name in names), None)


@pytest.mark.parametrize("names", [("score", "band"), ("events", "score"), ("events", "band")])
def test_a_table_has_one_kind_of_rows(names: tuple[str, ...]) -> None:
    with pytest.raises(FieldError, match="rows of a table") as caught:
        ARROW.require_outputs(tuple(OUTPUTS[name] for name in names), None)
    assert caught.value.field == "output"
