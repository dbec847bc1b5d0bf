"""A model for another runtime: graphs that were checked against torch, window by window."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from rvae.data.series import Series
from rvae.data.window_dataset import Batch, WindowDataset
from rvae.errors import FieldError, require
from rvae.inference.artifact import Artifact, checksum_of
from rvae.inference.card import Card
from rvae.inference.compute import limited_threads
from rvae.inference.runtimes.loading import graph_runtime, torch_runtime
from rvae.inference.runtimes.parity import compare
from rvae.inference.runtimes.report import Parity, RuntimeReport
from rvae.inference.runtimes.runtime import Runtime
from rvae.inference.software import software_versions
from rvae.scoring.evidence_scorers import EVIDENCE_SCORERS

__all__ = ["RUNTIMES", "convert", "with_runtime"]


@dataclass(frozen=True)
class Kind:
    """A runtime of graphs.

    Attributes:
        tolerance: Bound on the differences from torch, see `Parity`.
        exact: Whether it computes in single precision like torch: then the calibration holds.
    """

    tolerance: float
    exact: bool


RUNTIMES = {
    "onnx": Kind(tolerance=1e-4, exact=True),
    "openvino": Kind(tolerance=1e-4, exact=True),
    "onnx-int8": Kind(tolerance=0.1, exact=False),
}

DRAWN_WINDOWS = 256
MAX_WINDOWS = 4_000

# Data that comes from no file, in a report.
UNNAMED = "the data"

# Of drawn windows: spread of the noise, in standard deviations of the data, and missing values.
LEAST_NOISE, MOST_NOISE = 0.03, 3.0
MISSING = 0.1


def convert(
    artifact: Artifact, name: str, data: Sequence[Series] | None = None, source: str | None = None
) -> Artifact:
    """The model with graphs of a runtime, and with a report on how exact they are.

    The same windows are run by torch and by the graphs: those of the data, and such that the model
    draws, with missing values that the data may lack. If the runtime computes in reduced precision,
    it is the data alone, and the calibration is moved to its own scores, see `Calibration.moved`.

    Args:
        artifact: The model.
        name: A name of `RUNTIMES`.
        data: Normal data in the data's units, which reduced precision needs.
        source: Name of the data in the report.

    Raises:
        FieldError: If the network has no such graph, a result differs by more than the tolerance,
            data is needed or does not fit the model, or the model was already converted to reduced
            precision.
    """
    card, kind = artifact.card, RUNTIMES[name]
    card.require_calibrated_for_torch()
    require(
        kind.exact or bool(data),
        "data",
        f"is needed for {name}: normal data, by whose scores the thresholds are moved",
    )
    require(
        card.scoring.score in EVIDENCE_SCORERS,
        "runtime",
        f"the score {card.scoring.score!r} is computed by torch: only those of the package are not",
    )
    for one in data or ():
        card.require_fits(one)
    with limited_threads():
        return _converted(artifact, name, data, source)


def _converted(
    artifact: Artifact, name: str, data: Sequence[Series] | None, source: str | None
) -> Artifact:
    card, kind = artifact.card, RUNTIMES[name]
    reference, scorer = torch_runtime(artifact)
    found = replace(artifact, graphs=_graphs(artifact, name))
    checksums = {file: checksum_of(graph) for file, graph in found.graphs.items()}
    unknown = Parity(0, 0.0, 0.0, 0.0, 0.0, 0, kind.tolerance, not kind.exact)
    report = RuntimeReport(name, checksums, unknown, software_versions())
    drawn = _drawn(card, reference) if kind.exact else ()
    batches = chain(drawn, _windows(card, data or ()))
    try:
        candidate, _ = graph_runtime(replace(found, card=replace(card, runtime=report)), threads=1)
        compared = compare(reference, candidate, scorer, batches)
    except FieldError:
        raise
    except Exception as error:
        # A runtime may raise anything for a graph that it cannot run.
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise FieldError("runtime", f"{name} cannot run the model: {reason}") from error
    before = after = card.calibration
    if not kind.exact:
        after = before.moved(compared.expected, compared.found)
    parity = Parity(
        windows=len(compared.found),
        latent=compared.latent,
        reconstruction=compared.reconstruction,
        score=compared.score(before),
        tail_probability=compared.tail_probability(before, after),
        flags=compared.flags(before, after),
        tolerance=kind.tolerance,
        recalibrated=not kind.exact,
        data=(source or UNNAMED) if data else None,
    )
    for difference in ("latent", "reconstruction", "score"):
        value = getattr(parity, difference)
        require(
            value <= kind.tolerance,
            "runtime",
            f"{name} differs from torch by {value:.1e} in the {difference}, more than "
            f"{kind.tolerance:g}",
        )
    report = replace(report, parity=parity)
    return replace(found, card=replace(card, runtime=report, calibration=after))


def with_runtime(
    artifact: Artifact,
    name: str,
    data: Sequence[Series] | None = None,
    source: str | None = None,
) -> tuple[Artifact, str]:
    """The model for a runtime, and a sentence on what runs it.

    Args:
        artifact: The model.
        name: "torch", a name of `RUNTIMES`, or "auto": a model that has graphs keeps them, and any
            other gets those of ONNX Runtime if that is possible.
        data: Normal data, see `convert`.
        source: Name of the data in the report.

    Raises:
        FieldError: If there is no such runtime, it is not possible, or data is not needed.
    """
    names = ("auto", "torch", *RUNTIMES)
    require(name in names, "runtime", f"must be one of {', '.join(names)}, got {name!r}")
    if name == "auto" and artifact.graphs:
        require(data is None, "data", "is not needed: the model keeps the graphs that it has")
        return artifact, _sentence(artifact.card)
    if name == "torch":
        require(data is None, "data", "is only valid for another runtime than torch")
        artifact.card.require_calibrated_for_torch()
        card = replace(artifact.card, runtime=None)
        return replace(artifact, card=card, graphs={}), "The network is run by torch."
    if name != "auto":
        found = convert(artifact, name, data, source)
        return found, _sentence(found.card)
    try:
        found = convert(artifact, "onnx", data, source)
    except FieldError as error:
        if error.field != "runtime":
            raise
        return artifact, f"The network is run by torch: {error.message}."
    return found, _sentence(found.card)


def _sentence(card: Card) -> str:
    assert card.runtime is not None
    return f"The network is run by {card.runtime.sentence}."


def draw_windows(card: Card, runtime: Runtime, count: int = DRAWN_WINDOWS) -> Batch:
    """Windows as the model draws them, with all kinds of noise and with missing values.

    The first one has no value at all, the second none in its second half, the third none of the
    first channel.

    Args:
        card: Card of the model.
        runtime: Runs its decoder.
        count: Number of windows W.
    """
    random = np.random.default_rng(0)
    latent = random.standard_normal((count, card.model.latent), np.float32)
    angle = random.uniform(0, 2 * np.pi, (count, 1, len(card.model.time.calendar)))
    angle = angle + np.linspace(0, np.pi, card.window)[:, None]
    time = np.concatenate([np.sin(angle), np.cos(angle)], axis=2).astype(np.float32)
    label = random.integers(0, max(1, len(card.vocabulary.classes)), count)
    x = card.scaler.transform(card.scaler.inverse(runtime.decode(latent, time, label)))
    numeric = np.array(card.scaler.categories) == 0
    spread = np.geomspace(LEAST_NOISE, MOST_NOISE, count)[:, None, None]
    x[..., numeric] += (random.standard_normal(x.shape) * spread)[..., numeric].astype(np.float32)
    if card.scaler.unit_interval:
        x[..., numeric] = x[..., numeric].clip(0, 1)
    x[random.random(x.shape) < MISSING] = np.nan
    x[0], x[1, card.window // 2 :], x[2, :, 0] = np.nan, np.nan, np.nan
    return Batch(x, time, label)


def _drawn(card: Card, runtime: Runtime) -> Iterator[Batch]:
    """Drawn windows, and one of them alone, as a single request has it."""
    batch = draw_windows(card, runtime)
    yield batch
    yield Batch(batch.x[-1:], batch.time[-1:], batch.label[-1:])


def _windows(card: Card, data: Sequence[Series]) -> Iterable[Batch]:
    if not data:
        return ()
    calendar = card.model.time.calendar
    windows = WindowDataset(data, card.scaler, card.window, card.stride, calendar)
    return windows.batches(MAX_WINDOWS)


def _graphs(artifact: Artifact, name: str) -> dict[str, bytes]:
    import torch

    from rvae.inference.building import build_scorer

    try:
        from rvae.inference.onnx_export import export
        from rvae.inference.quantization import quantize
    except ModuleNotFoundError as error:
        raise FieldError("runtime", f"{name!r} needs the package {error.name}") from None
    network = artifact.build()
    graphs = export(artifact.card, network, build_scorer(artifact, network, torch.device("cpu")))
    return graphs if RUNTIMES[name].exact else quantize(graphs)
