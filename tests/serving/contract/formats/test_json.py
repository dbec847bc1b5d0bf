import json

import numpy as np

from rvae.serving.contract.formats.format import ServedModel
from rvae.serving.contract.formats.inference_protocol import INFERENCE_PROTOCOL
from rvae.serving.contract.formats.json import JSON, step_values
from rvae.serving.contract.inputs.series_input import SeriesInput
from rvae.serving.contract.options import Options
from rvae.serving.contract.query import Query
from rvae.serving.contract.results import Samples
from tests.support.untrained import KINDS, MODE


def test_a_body_with_inputs_is_of_the_inference_protocol() -> None:
    assert JSON.dialect({"inputs": []}) is INFERENCE_PROTOCOL
    assert JSON.dialect({"data": []}) is JSON


def test_steps_hold_numbers_and_words() -> None:
    words = MODE["mode"]
    values = np.array([[20.5, 1.0], [np.nan, 2.0]])
    assert step_values(values[:, :1], True, KINDS["numbers"]).tolist()[0] == 20.5
    np.testing.assert_array_equal(step_values(values, False, KINDS["several"]), values)
    (heat, first), (gap, second) = step_values(values, False, KINDS["categories"])
    assert (heat, first, second) == (20.5, words[0], words[1]) and np.isnan(gap)
    coded = step_values(values[:, 1:], True, KINDS["one categorical channel"])
    assert coded == list(words[:2])


def test_samples_come_with_their_latents_and_the_seed_that_drew_them() -> None:
    model = ServedModel("waves", "1.0", KINDS["numbers"], 1000)
    query = Query("sample", SeriesInput([], [], many=True), Options(), (), stride=1)
    windows = np.arange(16.0).reshape(2, 8, 1)
    latent = np.zeros((2, 3), np.float32)
    for seed, more in ((7, {"seed": 7}), (None, {})):
        answer = json.loads(JSON.encode_samples(Samples(windows, latent, seed), query, model))
        assert answer == {
            "model": "waves",
            "version": "1.0",
            "instances": windows[..., 0].tolist(),
            "latent": latent.tolist(),
            **more,
        }
