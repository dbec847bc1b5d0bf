from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from rvae.config import ConvolutionalConfig, DenseConfig, ModelConfig, RecurrentConfig, TimeConfig
from rvae.networks.conditioning import Conditioning, time_encoding
from rvae.networks.context import Context
from rvae.networks.vae import VAE

T = 12
ARCHITECTURES: dict[str, Any] = {
    "recurrent": {"recurrent": RecurrentConfig(hidden=6)},
    "convolutional": {"convolutional": ConvolutionalConfig(filters=8)},
    "dense": {"dense": DenseConfig((8,))},
}


@pytest.fixture(params=ARCHITECTURES)
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """A network of each architecture with further options."""
    torch.manual_seed(0)

    def vae(classes: int = 0, **options: Any) -> VAE:
        config = ModelConfig(request.param, latent=3, **ARCHITECTURES[request.param], **options)
        return VAE(config, T, [0, 3], classes).eval()

    return vae


def windows(count: int = 4) -> torch.Tensor:
    numbers, codes = torch.randn(count, T), torch.randint(0, 4, (count, T))
    return torch.stack([numbers, codes], dim=2)


@pytest.mark.parametrize("window", [2, 5, 24, 140])
@pytest.mark.parametrize("pairs", [1, 2, 4])
def test_an_encoding_tells_every_step_from_every_other(window: int, pairs: int) -> None:
    encoding = time_encoding(window, pairs)
    assert encoding.shape == (window, 2 * pairs)
    assert encoding.abs().max() <= 1
    torch.testing.assert_close(encoding[0], torch.tensor([0.0] * pairs + [1.0] * pairs))
    apart = torch.cdist(encoding, encoding) + 9 * torch.eye(window)
    assert apart.min() > 0.04


def test_wavelengths_fall_from_the_window_to_four_steps() -> None:
    encoding = time_encoding(64, 5)
    for pair, wavelength in enumerate((64, 32, 16, 8, 4)):
        angle = 2 * np.pi * np.arange(64) / wavelength
        np.testing.assert_allclose(encoding[:, pair], np.sin(angle), atol=1e-5)
        np.testing.assert_allclose(encoding[:, 5 + pair], np.cos(angle), atol=1e-5)


def test_no_encoding_is_nothing() -> None:
    assert time_encoding(7, 0).shape == (7, 0)


def test_conditions_stand_in_the_order_place_calendar_class() -> None:
    config = ModelConfig(time=TimeConfig(2, ("day",), bypass=True), conditional=True)
    conditions = Conditioning(config, T, classes=3)
    assert (conditions.encoder_width, conditions.decoder_width, conditions.classes) == (9, 6, 3)
    context = Context(torch.randn(2, T, 2), torch.tensor([2, 0]))
    steps = conditions.encoder_inputs(context)
    torch.testing.assert_close(steps[..., :4], time_encoding(T, 2).expand(2, -1, -1))
    torch.testing.assert_close(steps[..., 4:6], context.time)
    assert steps[0, :, 6:].tolist() == [[0, 0, 1]] * T
    assert steps[1, :, 6:].tolist() == [[1, 0, 0]] * T
    torch.testing.assert_close(conditions.decoder_inputs(context), steps[..., :6])
    assert conditions.class_inputs(context).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_no_known_class_is_no_class() -> None:
    conditions = Conditioning(ModelConfig(conditional=True), T, classes=2)
    assert conditions.class_inputs(Context.empty(1, T)).tolist() == [[0, 0]]


def test_what_follows_from_the_configuration_is_not_saved() -> None:
    one, two = (VAE(ModelConfig(time=TimeConfig(n)), T, [0]) for n in (1, 1))
    assert not [name for name in one.state_dict() if "places" in name]
    two.load_state_dict(one.state_dict())


@pytest.mark.parametrize("bypass", [False, True])
def test_the_decoder_knows_the_time_only_by_bypass(make: Callable[..., Any], bypass: bool) -> None:
    vae = make(time=TimeConfig(calendar=("day",), bypass=bypass))
    x, z = windows(), torch.randn(4, 3)
    label = torch.full((4,), -1)
    now, then = (Context(torch.randn(4, T, 2), label) for _ in range(2))
    said, other = vae.decode(z, now).mean, vae.decode(z, then).mean
    assert torch.equal(said, other) is not bypass
    # The encoder reads it either way.
    mask = ~x.isnan()
    assert not torch.allclose(
        vae.encode(x, mask, now).posterior.centre, vae.encode(x, mask, then).posterior.centre
    )


@pytest.mark.parametrize("conditional", [False, True])
def test_the_class_changes_what_a_latent_decodes_to_only_if_conditional(
    make: Callable[..., Any], conditional: bool
) -> None:
    vae = make(classes=3, conditional=conditional)
    x, z = windows(), torch.randn(4, 3)
    nowhere = torch.zeros(4, T, 0)
    one, two = (Context(nowhere, torch.full((4,), label)) for label in (0, 2))
    assert torch.equal(vae.decode(z, one).mean, vae.decode(z, two).mean) is not conditional
    mask = ~x.isnan()
    same = torch.equal(
        vae.encode(x, mask, one).posterior.centre, vae.encode(x, mask, two).posterior.centre
    )
    assert same is not conditional


def test_windows_of_different_classes_go_together(make: Callable[..., Any]) -> None:
    vae = make(classes=3, conditional=True)
    z = torch.randn(1, 3).expand(3, -1)
    together = vae.decode(z, Context(torch.zeros(3, T, 0), torch.arange(3))).mean
    for label in range(3):
        alone = Context(torch.zeros(1, T, 0), torch.tensor([label]))
        torch.testing.assert_close(together[label : label + 1], vae.decode(z[:1], alone).mean)


def test_a_context_goes_to_a_device_as_a_whole() -> None:
    whole = Context(torch.zeros(2, T, 0), torch.zeros(2), torch.zeros(2, 1, 3), torch.ones(2, 1, 3))
    assert {part.device.type for part in whole.to(torch.device("meta"))} == {"meta"}
    assert Context.empty(2, T).to(torch.device("meta")).level is None
