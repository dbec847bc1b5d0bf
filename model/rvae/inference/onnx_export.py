"""Network and scorer of a model → graphs in ONNX."""

import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from rvae.errors import FieldError
from rvae.inference.card import ModelSpec
from rvae.inference.runtimes.graphs import (
    DECODER_GRAPH,
    ENCODER_GRAPH,
    EVIDENCE_PREFIX,
    LABEL,
    LATENT,
    MEAN,
    TIME,
    WINDOW_GRAPH,
    X,
)
from rvae.networks.context import Context
from rvae.networks.vae import VAE
from rvae.scoring.reconstruction import reconstruct
from rvae.scoring.scorer import Scorer

__all__ = ["export"]

# The first one in which all operations of the networks exist.
OPSET = 17

# More than one window, so that no operation takes their number for a constant of one.
EXAMPLES = 3


class Graph(nn.Module):
    """What a graph computes of windows or latents, and of their conditions.

    Args:
        network: The network.
        inputs: Names of the inputs after the first.
    """

    def __init__(self, network: VAE, inputs: Sequence[str]) -> None:
        super().__init__()
        self.network, self.inputs = network, inputs

    def context(self, first: Tensor, conditions: Sequence[Tensor]) -> Context:
        """The conditions of windows (B, T, C) or latents (B, D), as networks take them."""
        named, count = dict(zip(self.inputs, conditions, strict=True)), first.shape[0]
        none = first.new_zeros(count, self.network.conditions.window, 0)
        unknown = torch.full((count,), -1, device=first.device)
        return Context(named.get(TIME, none), named.get(LABEL, unknown))


class WindowGraph(Graph):
    """Scaled windows (B, T, C) → latent, mean and evidence, as a runtime computes them.

    Args:
        network: The network.
        inputs: Names of the inputs after the first.
        scorer: Scorer of the network.
    """

    def __init__(self, network: VAE, inputs: Sequence[str], scorer: Scorer) -> None:
        super().__init__(network, inputs)
        self.scorer = scorer

    def results(self, x: Tensor, *conditions: Tensor) -> dict[str, Tensor]:
        """Latent (B, D), mean (B, T, E), and everything that is measured, by name."""
        windows = reconstruct(self.network, x, self.context(x, conditions))
        evidence = self.scorer.measure(windows)
        return {LATENT: windows.latent, MEAN: windows.p.mean} | {
            f"{EVIDENCE_PREFIX}{name}": values for name, values in evidence.items()
        }

    def forward(self, x: Tensor, *conditions: Tensor) -> tuple[Tensor, ...]:
        """The results in order."""
        return tuple(self.results(x, *conditions).values())


class EncoderGraph(Graph):
    """Scaled windows (B, T, C) → centres of q(z|x) (B, D)."""

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:
        """Centres (B, D)."""
        encoding = self.network.encode(x, ~x.isnan(), self.context(x, conditions))
        return encoding.posterior.centre


class DecoderGraph(Graph):
    """Latents (B, D) → means of p(x|z) (B, T, E), scaled."""

    def forward(self, latent: Tensor, *conditions: Tensor) -> Tensor:
        """Means (B, T, E)."""
        mean: Tensor = self.network.decode(latent, self.context(latent, conditions)).mean
        return mean


@torch.inference_mode()
def export(spec: ModelSpec, network: VAE, scorer: Scorer) -> dict[str, bytes]:
    """Graphs of a model by file, for any number of windows.

    Args:
        spec: Specification of the model.
        network: Its network on the CPU, ready for inference.
        scorer: Its scorer.

    Raises:
        FieldError: If the network or the scorer has an operation that ONNX lacks.
    """
    steps = spec.window
    shapes = {
        TIME: torch.zeros(EXAMPLES, steps, 2 * len(spec.model.time.calendar)),
        LABEL: torch.zeros(EXAMPLES, dtype=torch.int64),
    }
    used = [TIME] * bool(spec.model.time.calendar) + [LABEL] * spec.model.conditional
    conditions = [shapes[name] for name in used]
    x = torch.zeros(EXAMPLES, steps, len(spec.channels))
    x[0, : steps // 2] = torch.nan
    latent = torch.zeros(EXAMPLES, spec.model.latent)
    windows = WindowGraph(network, used, scorer)
    encoder, decoder = EncoderGraph(network, used), DecoderGraph(network, used)
    results = list(windows.results(x, *conditions))
    return {
        WINDOW_GRAPH: _graph(windows, [x, *conditions], [X, *used], results),
        ENCODER_GRAPH: _graph(encoder, [x, *conditions], [X, *used], [LATENT]),
        DECODER_GRAPH: _graph(decoder, [latent, *conditions], [LATENT, *used], [MEAN]),
    }


def _graph(
    module: nn.Module, examples: Sequence[Tensor], inputs: Sequence[str], outputs: Sequence[str]
) -> bytes:
    with (
        tempfile.TemporaryDirectory(prefix="rvae-graph-") as scratch,
        warnings.catch_warnings(),
        _silence(),
    ):
        written = Path(scratch) / "graph.onnx"
        # About constants that do not depend on the windows, and about the exporter's age: the newer
        # one fixes the number of steps, and needs further packages.
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(
                module.eval(),
                tuple(examples),
                written,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes={name: {0: "windows"} for name in (*inputs, *outputs)},
                opset_version=OPSET,
                dynamo=False,
            )
        except Exception as error:
            # An architecture or a score from outside the package may do anything.
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise FieldError("runtime", f"the model has no graph in ONNX: {reason}") from error
        return written.read_bytes()


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what the exporter prints from the user.

    It switches its log on whatever it is told, and prints graphs that fail. Its warnings about
    types of packed sequences come from C++, past Python's filters and streams.
    """
    kept, switch = os.dup(2), torch._C._jit_set_onnx_log_enabled
    try:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        torch._C._jit_set_onnx_log_enabled = lambda enabled: None
        yield
    finally:
        torch._C._jit_set_onnx_log_enabled = switch
        os.dup2(kept, 2)
        os.close(kept)
