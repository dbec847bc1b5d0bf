"""Graphs of a model: their files, and the names of their inputs and outputs.

The graph of windows has the inputs `x`, and `time` and `label` if the network has such conditions.
Its outputs are `latent`, `mean`, and `evidence.NAME` for everything that the scorer measures. The
graph of the encoder has the same inputs and the output `latent`; that of the decoder has `latent`
instead of `x`, and the output `mean`.
"""

__all__ = [
    "DECODER_GRAPH",
    "ENCODER_GRAPH",
    "EVIDENCE_PREFIX",
    "GRAPHS",
    "LABEL",
    "LATENT",
    "MEAN",
    "TIME",
    "WINDOW_GRAPH",
    "X",
]

WINDOW_GRAPH, ENCODER_GRAPH, DECODER_GRAPH = "windows.onnx", "encoder.onnx", "decoder.onnx"
GRAPHS = (WINDOW_GRAPH, ENCODER_GRAPH, DECODER_GRAPH)

X, TIME, LABEL = "x", "time", "label"
LATENT, MEAN = "latent", "mean"
EVIDENCE_PREFIX = "evidence."
