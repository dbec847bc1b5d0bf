"""What of an archive counts for memory."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from rvae.config import DenseConfig, ModelConfig, RecurrentConfig
from rvae.errors import FieldError
from rvae.inference.conversion import with_runtime
from rvae.serving.packaging import build_archive
from rvae.serving.service import Limits
from rvae.serving.torchserve.capacity.footprint import Footprint, footprint
from tests.support.untrained import untrained_artifact, untrained_card

FINISHED = {"finished": "2026-01-31T12:00:00+00:00"}


def of(folder: Path, model: ModelConfig, window: int, runtime: str | None = None) -> Footprint:
    card = untrained_card(model, window=window)
    artifact = untrained_artifact(replace(card, training=FINISHED))
    if runtime:
        artifact, _ = with_runtime(artifact, runtime, None, None)
    return footprint(build_archive(artifact, "model", "1.0", folder, force=True))


def test_runtime_limits_and_batch_are_those_of_the_archive(tmp_path: Path) -> None:
    small = ModelConfig(recurrent=RecurrentConfig(hidden=6), latent=3)
    plain = of(tmp_path, small, 8)
    graphs = of(tmp_path, small, 8, "onnx")
    assert (plain.runtime, graphs.runtime) == ("torch", "onnx")
    assert plain.limits == graphs.limits == Limits()
    assert plain.batch == 32
    assert graphs.bytes > plain.bytes  # the graphs beside the weights
    assert graphs.width == plain.width


def test_wider_models_and_longer_windows_have_more_numbers(tmp_path: Path) -> None:
    small, wide = (
        ModelConfig(recurrent=RecurrentConfig(hidden=hidden), latent=3) for hidden in (6, 60)
    )
    assert of(tmp_path, wide, 8).width > 5 * of(tmp_path, small, 8).width
    assert of(tmp_path, small, 80).width == 10 * of(tmp_path, small, 8).width
    # Dense layers have their numbers once for a window.
    dense = ModelConfig(architecture="dense", dense=DenseConfig(layers=(16,)), latent=3)
    assert of(tmp_path, dense, 80).width < 1000


def test_what_is_no_archive_of_a_model_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "other.mar"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("card.json", "{}")
    with pytest.raises(FieldError, match=r"store: .*other\.mar is not the archive of a model"):
        footprint(archive)
