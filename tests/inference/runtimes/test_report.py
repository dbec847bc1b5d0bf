import json
from dataclasses import asdict

from rvae.inference.runtimes.report import Parity, RuntimeReport

REPORT = RuntimeReport(
    "onnx",
    {"windows.onnx": "sha256:0"},
    Parity(512, 1e-6, 2e-6, 3e-6, 4e-6, 0, 1e-4, recalibrated=False, data="waves.csv"),
    {"onnxruntime": "1.0"},
)


def test_a_report_survives_json() -> None:
    assert RuntimeReport.from_dict(json.loads(json.dumps(asdict(REPORT)))) == REPORT
