import numpy as np

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.step_evidence import STEP_EVIDENCE


def test_the_evidence_is_that_of_all_windows(computation: Computation) -> None:
    values = STEP_EVIDENCE.compute(computation)
    for one, analysis in zip(values, computation.analyses, strict=True):
        expected = analysis.scorer.step_evidence(analysis.evidence, analysis.placement)
        np.testing.assert_array_equal(one["step_evidence"], expected)
