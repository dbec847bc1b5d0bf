import numpy as np

from rvae.inference.engine import Engine
from rvae.serving.contract.inputs.series_input import annotated_input
from rvae.serving.contract.options import Options
from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.contract.query import Query
from rvae.serving.contract.results import compute_results


def test_every_series_has_the_fields_of_every_output(
    engine: Engine, fresh: list[np.ndarray]
) -> None:
    series = [fresh[0], np.concatenate(fresh[1:4])]
    options = Options.parse({"quantile": 0.5, "gap": 2, "output": ["events", "score", "latent"]})
    inputs = annotated_input(series, [False, False], True, options, engine.card)
    outputs = (OUTPUTS["events"], OUTPUTS["score"], OUTPUTS["latent"])
    analyses = engine.analyse(series, 8)
    query = Query("score", inputs, options, outputs, stride=8)
    results = compute_results(analyses, query, engine.card, 100)
    threshold = engine.card.calibration.threshold(0.5)
    for result, analysis, one in zip(results, analyses, inputs.series, strict=True):
        assert result.series is one
        np.testing.assert_array_equal(result.starts, analysis.starts)
        assert set(result.values) == {field.name for output in outputs for field in output.fields}
        assert result.values["threshold"] == threshold
        assert result.values["events"] == analysis.events(threshold, engine.card.calibration, 2)
        np.testing.assert_array_equal(result.values["latent"], analysis.latent)
