from typing import Any

import numpy as np
import pytest

from rvae.errors import MalformedError
from rvae.serving.contract.formats.tensors import NUMERIC, read_tensors

NOTHING = memoryview(b"")


def tensor(values: Any, datatype: str = "FP64", **more: Any) -> dict[str, Any]:
    return {"name": "x", "shape": [2, 2], "datatype": datatype, "data": values, **more}


@pytest.mark.parametrize("values", [[1, None, 3.5, 4], [[1, None], [3.5, 4]]])
def test_values_may_be_flat_or_nested(values: Any) -> None:
    request, tensors = read_tensors({"id": "7", "inputs": [tensor(values)]}, NOTHING)
    assert request.id == "7"
    np.testing.assert_array_equal(tensors["x"].numbers(), [[1, np.nan], [3.5, 4]])


@pytest.mark.parametrize("datatype", NUMERIC)
def test_binary_values_follow_one_another(datatype: str) -> None:
    arrays = [np.array(rows, NUMERIC[datatype]) for rows in ([[1, 2], [3, 4]], [[5], [6]])]
    inputs = [
        {
            "name": str(i),
            "shape": list(array.shape),
            "datatype": datatype,
            "parameters": {"binary_data_size": array.nbytes},
        }
        for i, array in enumerate(arrays)
    ]
    binary = memoryview(b"".join(array.tobytes() for array in arrays))
    _, tensors = read_tensors({"inputs": inputs}, binary)
    for i, array in enumerate(arrays):
        np.testing.assert_array_equal(tensors[str(i)].numbers(), array)


def test_binary_text_has_its_length_before_it() -> None:
    texts = ["ä", "", "bc", "d"]
    chunks = [text.encode() for text in texts]
    binary = b"".join(len(chunk).to_bytes(4, "little") + chunk for chunk in chunks)
    one = tensor(None, "BYTES", parameters={"binary_data_size": len(binary)})
    _, tensors = read_tensors({"inputs": [one]}, memoryview(binary))
    assert tensors["x"].nested() == [["ä", ""], ["bc", "d"]]
    for cut in (binary[:-1], binary[:-5]):
        one["parameters"] = {"binary_data_size": len(cut)}
        with pytest.raises(MalformedError):
            read_tensors({"inputs": [one]}, memoryview(cut))


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ([tensor([1, 2, 3])], "inputs[0].data"),
        ([tensor([[1, 2], [3]])], "inputs[0].data"),
        ([tensor([1, 2, "3", 4])], "inputs[0].data[2]"),
        ([tensor([1, 2, 3, None], "INT8")], "inputs[0].data[3]"),
        ([tensor([1, 2, 3, True])], "inputs[0].data[3]"),
        ([tensor(None)], "inputs[0].data"),
        ([tensor([1] * 4), tensor([1] * 4)], "inputs[1].name"),
        ([tensor(None, parameters={"binary_data_size": 1})], "inputs[0].parameters"),
        ([tensor([1] * 4, "FP128")], "inputs[0].datatype"),
        ([tensor([1] * 4) | {"shape": []}], "inputs[0].shape"),
    ],
)
def test_what_is_no_tensor_is_named(inputs: list[dict[str, Any]], field: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_tensors({"inputs": inputs}, NOTHING)
    assert caught.value.field == field


def test_every_byte_belongs_to_a_tensor() -> None:
    with pytest.raises(MalformedError, match="1 bytes") as caught:
        read_tensors({"inputs": [tensor([1, 2, 3, 4])]}, memoryview(b"x"))
    assert caught.value.field == "body"
