"""An architecture from outside the package: injected by its dotted name, trained, and loaded."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rvae.config import DataConfig, ModelConfig, ReaderConfig, TrainingConfig, TrainingPlan
from rvae.data.readers import read
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.networks.architecture import Architecture
from rvae.networks.architectures import ARCHITECTURES
from rvae.networks.choices import require_valid_model
from rvae.networks.missing_values import carry_forward
from rvae.training.fit import fit
from tests.support.waves import waves

STEPS = 16


@dataclass(frozen=True)
class SpectralOptions:
    """How many frequencies are read."""

    frequencies: int
    hidden: int = 24


class SpectralEncoder(nn.Module):
    """The lowest frequencies of a window."""

    def __init__(self, options: SpectralOptions, inputs: int, window: int) -> None:
        super().__init__()
        self.frequencies = options.frequencies
        self.features = 2 * options.frequencies * inputs

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Windows (B, T, inputs), observed where the mask holds → features (B, features)."""
        spectrum = torch.fft.rfft(carry_forward(x, mask), dim=1)[:, : self.frequencies]
        return torch.view_as_real(spectrum).flatten(1)


class SpectralDecoder(nn.Module):
    """One hidden layer."""

    def __init__(
        self, options: SpectralOptions, latent: int, conditions: int, outputs: int, window: int
    ) -> None:
        super().__init__()
        self.shape = (window, outputs)
        self.layers = nn.Sequential(
            nn.Linear(latent + window * conditions, options.hidden),
            nn.GELU(),
            nn.Linear(options.hidden, window * outputs),
        )

    def forward(self, z: Tensor, conditions: Tensor) -> Tensor:
        """Latents (B, D), conditions (B, T, conditions) → parameters (B, T, outputs)."""
        return self.layers(torch.cat([z, conditions.flatten(1)], dim=1)).unflatten(1, self.shape)


SPECTRAL = Architecture(SpectralEncoder, SpectralDecoder, SpectralOptions)

DOTTED_NAME = f"{__name__}:SPECTRAL"


def test_it_is_trained_archived_and_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "waves.npy", waves(120, STEPS))
    model = ModelConfig(DOTTED_NAME, options={"frequencies": 3}, latent=3)
    training = TrainingConfig(epochs=30, batch_size=10, accelerator="cpu", quantile=0.9)
    plan = TrainingPlan(DataConfig("waves.npy", window=STEPS), model, training=training)
    dataset = read(tmp_path / "waves.npy", ReaderConfig())
    result = fit(dataset, plan, tmp_path / "run", progress=False)
    assert result.card.training["explained_variance"] > 0.5
    artifact = Artifact.load(result.checkpoint)
    artifact.save(tmp_path / "folder")
    loaded = Artifact.load(tmp_path / "folder")
    assert loaded.card.model == model
    assert isinstance(loaded.build().encoder, SpectralEncoder)
    fresh = list(waves(3, STEPS, seed=1))
    for one, other in zip(
        Engine(artifact).analyse(fresh), Engine(loaded).analyse(fresh), strict=True
    ):
        np.testing.assert_array_equal(one.score, other.score)


def test_a_line_in_the_registry_gives_it_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {**ARCHITECTURES.entries, "spectral": SPECTRAL}
    monkeypatch.setitem(ARCHITECTURES.__dict__, "entries", entries)
    require_valid_model(ModelConfig("spectral", options={"frequencies": 3}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (None, "needs 'frequencies'"),
        ({"frequencies": 3, "width": 4}, "has no option 'width', only frequencies, hidden"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, int] | None, message: str) -> None:
    with pytest.raises(FieldError, match=message) as caught:
        require_valid_model(ModelConfig(DOTTED_NAME, options=options))
    assert caught.value.field == "model.options"


def test_the_help_lists_every_name() -> None:
    for name in ARCHITECTURES.names:
        assert f'"{name}"' in (ModelConfig.__doc__ or "")
