from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import pytest
import torch

from rvae.config import (
    ConvolutionalConfig,
    DenseConfig,
    FlowConfig,
    ModelConfig,
    RecurrentConfig,
    TimeConfig,
)
from rvae.networks.context import Context
from rvae.networks.convolutional import ConvolutionalDecoder
from rvae.networks.objective import negative_elbo, negative_log_likelihood
from rvae.networks.vae import VAE

T = 12


@dataclass(frozen=True)
class Case:
    """A model, and the windows that it is for."""

    model: ModelConfig
    categories: tuple[int, ...] = (0, 0)
    classes: int = 0

    def vae(self, window: int = T) -> VAE:
        return VAE(self.model, window, self.categories, self.classes)

    def windows(self, count: int, window: int = T) -> tuple[torch.Tensor, Context]:
        """Random ones, in which every category and the unknown one occur."""
        columns = [
            torch.randint(0, n + 1, (count, window)).float() if n else torch.rand(count, window)
            for n in self.categories
        ]
        time = torch.rand(count, window, 2 * len(self.model.time.calendar)) * 2 - 1
        label = (
            torch.randint(0, self.classes, (count,)) if self.classes else torch.full((count,), -1)
        )
        return torch.stack(columns, dim=2), Context(time, label)


ARCHITECTURES = {
    "lstm": ModelConfig(recurrent=RecurrentConfig(hidden=6)),
    "lstm, deep": ModelConfig(recurrent=RecurrentConfig(hidden=6, depth=3, dropout=0.2)),
    "lstm, both ways": ModelConfig(
        recurrent=RecurrentConfig(hidden=6, depth=2, bidirectional=True)
    ),
    "lstm, every step": ModelConfig(recurrent=RecurrentConfig(hidden=6, conditioning="every_step")),
    "lstm, feedback": ModelConfig(recurrent=RecurrentConfig(hidden=6, conditioning="feedback")),
    "lstm, both ways, in patches": ModelConfig(
        recurrent=RecurrentConfig(hidden=6, bidirectional=True, patch=4)
    ),
    "lstm, feedback, in patches": ModelConfig(
        recurrent=RecurrentConfig(hidden=6, conditioning="feedback", patch=5)
    ),
    "lstm, beside a linear path": ModelConfig(recurrent=RecurrentConfig(hidden=6), linear=True),
    "gru": ModelConfig(recurrent=RecurrentConfig("gru", hidden=6, depth=2)),
    "gru, both ways, feedback": ModelConfig(
        recurrent=RecurrentConfig("gru", 6, bidirectional=True, conditioning="feedback")
    ),
    "convolutional": ModelConfig("convolutional", convolutional=ConvolutionalConfig(filters=8)),
    "convolutional, dropout": ModelConfig(
        "convolutional",
        convolutional=ConvolutionalConfig(filters=6, heads=2, blocks=2, dropout=0.2),
    ),
    "dense": ModelConfig("dense", dense=DenseConfig((16, 8))),
    "dense, normalised": ModelConfig(
        "dense",
        dense=DenseConfig((16,), "tanh", dropout=0.1, normalization="batch", initializer="xavier"),
    ),
    "linear": ModelConfig("dense", dense=DenseConfig(())),
}
CALENDAR: tuple[Literal["day", "week"], ...] = ("day", "week")
# Whatever a window may hold, and whatever may be known of it besides.
MIXED = {
    "lstm, told the calendar": Case(
        ModelConfig(
            recurrent=RecurrentConfig(hidden=6), time=TimeConfig(calendar=CALENDAR, bypass=True)
        ),
        (0, 3, 0, 1),
    ),
    "lstm, both ways, told the class": Case(
        ModelConfig(
            recurrent=RecurrentConfig(hidden=6, bidirectional=True),
            likelihood="student_t",
            conditional=True,
        ),
        (4, 0),
        classes=3,
    ),
    "lstm, feedback, bent, told its place": Case(
        ModelConfig(
            recurrent=RecurrentConfig(hidden=6, conditioning="feedback"),
            posterior="iaf",
            time=TimeConfig(encoding=2, bypass=True),
            likelihood="bernoulli",
        ),
        (0, 2),
    ),
    "gru, nothing but categories": Case(
        ModelConfig(
            recurrent=RecurrentConfig("gru", hidden=6, conditioning="every_step"),
            time=TimeConfig(calendar=("year",)),
            embedding=3,
        ),
        (3, 5),
    ),
    "convolutional, bent, told everything": Case(
        ModelConfig(
            "convolutional",
            convolutional=ConvolutionalConfig(filters=8),
            posterior="iaf",
            flow=FlowConfig(3, 8),
            time=TimeConfig(2, CALENDAR, bypass=True),
            conditional=True,
            likelihood="laplace",
        ),
        (2, 0, 0),
        classes=2,
    ),
    "lstm, in patches, beside a linear path, told everything": Case(
        ModelConfig(
            recurrent=RecurrentConfig(hidden=6, conditioning="every_step", patch=5),
            linear=True,
            normalization="instance",
            posterior="iaf",
            time=TimeConfig(1, ("hour",), bypass=True),
            conditional=True,
        ),
        (3, 0, 0),
        classes=2,
    ),
    "dense, bent, told the class": Case(
        ModelConfig(
            "dense",
            dense=DenseConfig((16, 8), normalization="batch"),
            latent=1,
            posterior="iaf",
            conditional=True,
            likelihood="bernoulli",
        ),
        classes=2,
    ),
    "linear, told everything": Case(
        ModelConfig(
            "dense",
            dense=DenseConfig(()),
            time=TimeConfig(1, ("hour",), bypass=True),
            conditional=True,
            likelihood="huber",
        ),
        (0, 3),
        classes=4,
    ),
}
LIKELIHOODS = ("normal", "student_t", "laplace", "huber", "bernoulli")
CASES = {name: Case(model) for name, model in ARCHITECTURES.items()} | MIXED


@pytest.fixture(params=list(CASES.values()), ids=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    torch.manual_seed(0)
    return request.param


@pytest.mark.parametrize("window", [2, 3, 12, 33])
def test_any_window(case: Case, window: int) -> None:
    vae = case.vae(window).eval()
    x, context = case.windows(5, window)
    q = vae.encode(x, ~x.isnan(), context).posterior
    z, kl = q.rsample_with_kl(1.0)
    assert q.centre.shape == z.shape == kl.shape == (5, case.model.latent)
    p = vae.decode(q.centre, context)
    assert p.mean.shape == (5, window, sum(count or 1 for count in case.categories))
    assert p.log_prob(x).shape == x.shape
    assert p.log_prob(x).isfinite().all()


@pytest.mark.parametrize("model", ARCHITECTURES.values(), ids=ARCHITECTURES.keys())
@pytest.mark.parametrize("channels", [1, 3])
def test_any_number_of_channels(model: ModelConfig, channels: int) -> None:
    vae = VAE(model, T, [0] * channels).eval()
    x = torch.randn(5, T, channels)
    assert vae.decode(vae.encode(x, ~x.isnan()).posterior.centre).mean.shape == x.shape


def test_every_parameter_of_every_architecture_gets_a_gradient(case: Case) -> None:
    vae = case.vae()
    if vae.linear is not None:
        torch.nn.init.ones_(vae.linear.gain)  # at its start nothing passes the decoder's network
    x, context = case.windows(30)
    negative_elbo(vae, x, ~x.isnan(), context).loss(1.0).backward()
    for name, parameter in vae.named_parameters():
        # A bias before batch normalisation is subtracted again, and one on the keys of an
        # attention shifts all of them alike: their gradients are zero but for rounding.
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name
    for embedding in vae.features.embeddings:
        # The windows hold every category; the unknown one stays the zero vector.
        learning = embedding.weight.grad.abs().sum(1) > 0
        assert learning.tolist() == [False] + [True] * (len(learning) - 1)
        assert embedding.weight[0].abs().sum() == 0


def test_eval_is_deterministic_and_neighbours_do_not_matter(case: Case) -> None:
    vae = case.vae().eval()
    x, context = case.windows(6)
    x[2, 5:] = torch.nan
    x[4, ::2, 0] = torch.nan

    def run(which: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        part, known = x[which], Context(context.time[which], context.label[which])
        z = vae.encode(part, ~part.isnan(), known).posterior.centre
        return z, vae.decode(z, known).mean

    everything = torch.arange(6)
    for one, two in zip(run(everything), run(everything), strict=True):
        assert torch.equal(one, two)
    for whole, turned in zip(run(everything), run(everything.flip(0)), strict=True):
        torch.testing.assert_close(whole, turned.flip(0))
    for whole, alone in zip(run(everything), run(everything[2:3]), strict=True):
        torch.testing.assert_close(whole[2:3], alone)


def test_what_stands_at_missing_places_reaches_nothing(case: Case) -> None:
    vae = case.vae().eval()
    x, context = case.windows(4)
    mask = torch.rand(x.shape) > 0.3
    mask[0, 4:] = False
    mask[1] = False
    z = torch.randn(4, case.model.latent)
    for filler in (1e6, -2.5, torch.nan):
        other = torch.where(mask, x, filler)
        torch.testing.assert_close(
            vae.encode(x, mask, context).posterior.centre,
            vae.encode(other, mask, context).posterior.centre,
        )
        torch.testing.assert_close(
            negative_log_likelihood(vae.decode(z, context), x, mask),
            negative_log_likelihood(vae.decode(z, context), other, mask),
        )


def test_a_missing_category_is_none_of_the_categories() -> None:
    case = MIXED["lstm, told the calendar"]
    vae = case.vae()
    x, context = case.windows(30)
    x[..., 1] = torch.nan
    negative_elbo(vae, x, ~x.isnan(), context).loss(1.0).backward()
    missing, present = (embedding.weight.grad.abs().sum() for embedding in vae.features.embeddings)
    assert missing == 0
    assert present > 0


def test_what_comes_after_the_last_value_reaches_nothing(case: Case) -> None:
    vae = case.vae().eval()
    x, context = case.windows(4)
    x[:, 7:] = torch.nan
    x[:, 6, 1:] = torch.nan  # one channel is enough to be there
    later = context.time.clone()
    later[:, 7:] += 1
    other = Context(later, context.label)
    mask = ~x.isnan()
    assert torch.equal(
        vae.encode(x, mask, context).posterior.centre,
        vae.encode(x, mask, other).posterior.centre,
    )
    if context.time.shape[2]:
        later[:, 6] += 1
        changed = vae.encode(x, mask, Context(later, context.label)).posterior.centre
        assert not torch.allclose(vae.encode(x, mask, context).posterior.centre, changed)


def trained() -> dict[str, Case]:
    """Every likelihood with every family of networks, and one of them with all the others."""
    cases = dict(MIXED)
    for number, (name, model) in enumerate(ARCHITECTURES.items()):
        fitting = [one for one in LIKELIHOODS if one != "bernoulli" or not model.linear]
        is_plain = name in ("lstm", "convolutional", "dense")
        for likelihood in fitting if is_plain else [fitting[number % len(fitting)]]:
            changed = replace(model, likelihood=cast(Any, likelihood))
            cases[f"{name}, {likelihood}"] = Case(changed)
    return cases


TRAINED = trained()


@pytest.mark.parametrize("case", TRAINED.values(), ids=TRAINED.keys())
def test_training_steps_lower_the_loss(case: Case) -> None:
    torch.manual_seed(0)
    vae = case.vae()
    angle = torch.linspace(0, 6, T)[None, :, None] + torch.rand(16, 1, 1) * 6
    wave = torch.sin(angle + torch.arange(len(case.categories)))  # (B, T, C)
    x, context = case.windows(16)
    for i, count in enumerate(case.categories):
        height = (wave[..., i] + 1) / 2
        number = height > 0.8 if case.model.likelihood == "bernoulli" else wave[..., i]
        x[..., i] = (height * (count - 0.01)).floor() + 1 if count else number
    optimizer = torch.optim.Adam(vae.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        loss = negative_elbo(vae, x, ~x.isnan(), context).loss(1.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) < sum(losses[:5]) - 5  # a nat a window


def test_weights_survive_saving(case: Case, tmp_path: Path) -> None:
    one, two = case.vae().eval(), case.vae().eval()
    x, context = case.windows(3)
    for parameter in two.parameters():
        parameter.data += 1
    torch.save(one.state_dict(), tmp_path / "weights.pt")
    two.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    z = one.encode(x, ~x.isnan(), context).posterior.centre
    assert torch.equal(z, two.encode(x, ~x.isnan(), context).posterior.centre)
    assert torch.equal(one.decode(z, context).mean, two.decode(z, context).mean)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_padded_window_is_encoded_like_the_short_one_with_everything_known_of_it(
    bidirectional: bool,
) -> None:
    case = Case(
        ModelConfig(
            recurrent=RecurrentConfig(hidden=5, depth=2, bidirectional=bidirectional),
            time=TimeConfig(calendar=CALENDAR),
            conditional=True,
        ),
        (0, 3, 0),
        classes=2,
    )
    long, short = case.vae(window=10).eval(), case.vae(window=6).eval()
    short.load_state_dict(long.state_dict())
    x, context = case.windows(4, window=10)
    x[:, 6:] = torch.nan
    x[1, :2] = x[2, 5, 1] = torch.nan
    padded = long.encode(x, ~x.isnan(), context).posterior.centre
    cut = Context(context.time[:, :6], context.label)
    torch.testing.assert_close(
        padded, short.encode(x[:, :6], ~x[:, :6].isnan(), cut).posterior.centre
    )


@pytest.mark.parametrize("blocks", [1, 14])
def test_no_more_blocks_than_a_window_can_be_halved(blocks: int) -> None:
    config = ConvolutionalConfig(filters=8, blocks=blocks)
    decoder = VAE(ModelConfig("convolutional", convolutional=config), 16, [0]).decoder
    assert isinstance(decoder, ConvolutionalDecoder)
    assert decoder.blocks(torch.zeros(1, 8, decoder.coarse[1])).shape[-1] == 16


def test_a_fixed_noise_scale_is_no_parameter() -> None:
    fixed = VAE(ModelConfig(noise_scale=0.25), window=5, categories=[0, 0])
    assert not list(fixed.likelihood.parameters())
    p = fixed.decode(torch.zeros(1, 16))
    torch.testing.assert_close(p.stddev, torch.full((1, 5, 2), 0.25))
    learned = VAE(ModelConfig(), window=5, categories=[0, 0])
    assert [p.shape for p in learned.likelihood.parameters()] == [(2,)]
