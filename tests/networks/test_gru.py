from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from rvae.networks import gru
from rvae.networks.gru import Gru


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Has an entry for each layer that was run the faster way."""
    runs: list[int] = []

    def counted(x: Tensor, *arguments: Any, **options: Any) -> Any:
        runs.append(len(x))
        return run(x, *arguments, **options)

    run = gru._run
    monkeypatch.setattr(gru, "_run", counted)
    return runs


def pair(*arguments: Any, **options: Any) -> tuple[Gru, nn.GRU]:
    torch.manual_seed(0)
    ours = Gru(*arguments, batch_first=True, **options)
    theirs = nn.GRU(*arguments, batch_first=True, **options)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def outcome(layers: nn.GRU, x: Tensor, state: Tensor | None) -> list[Tensor]:
    """Outputs, last states and all gradients."""
    layers.zero_grad()
    inputs = [one.detach().requires_grad_() for one in (x, state) if one is not None]
    states, last = layers(*inputs)
    (states.sin().sum() + last.cos().sum()).backward()
    return [states, last, *(one.grad for one in (*inputs, *layers.parameters()))]


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("numbers", [gru.CHUNK, 10 * 4 * 4 * 5, 1])  # all steps, ten, one
def test_it_is_pytorchs(
    monkeypatch: pytest.MonkeyPatch, fast: list[int], depth: int, numbers: int
) -> None:
    monkeypatch.setattr(gru, "CHUNK", numbers)
    ours, theirs = pair(3, 5, depth, dtype=torch.float64)
    x, state = torch.randn(4, 37, 3).double(), torch.randn(depth, 4, 5).double()
    for start in (None, state):
        torch.testing.assert_close(
            outcome(ours, x, start), outcome(theirs, x, start), rtol=0, atol=1e-12
        )
        with torch.inference_mode():
            torch.testing.assert_close(ours(x, start), theirs(x, start), rtol=0, atol=1e-14)
    assert len(fast) == 4 * depth


def test_it_is_pytorchs_in_single_precision(fast: list[int]) -> None:
    ours, theirs = pair(1, 64, 2)
    x, state = torch.randn(8, 140, 1), torch.randn(2, 8, 64)
    for mine, other in zip(outcome(ours, x, state), outcome(theirs, x, state), strict=True):
        bound = 1e-5 * float(other.detach().abs().max())
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=bound)
    assert fast


def test_its_gradient_is_that_of_finite_differences() -> None:
    torch.manual_seed(0)
    layer = Gru(2, 3, batch_first=True, dtype=torch.float64)
    x = torch.randn(2, 9, 2, dtype=torch.float64, requires_grad=True)
    state = torch.randn(1, 2, 3, dtype=torch.float64, requires_grad=True)
    parameters = tuple(layer.parameters())
    assert torch.autograd.gradcheck(lambda *_: layer(x, state), (x, state, *parameters))


def test_dropout_lies_between_layers() -> None:
    ours, theirs = pair(3, 5, 2, dropout=0.5)
    x, outputs = torch.randn(4, 40, 3), []
    for layers in (ours, theirs):
        torch.manual_seed(1)
        outputs.append(layers(x))
    torch.testing.assert_close(outputs[0], outputs[1])
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))


def test_what_is_frozen_gets_no_gradient() -> None:
    ours, theirs = pair(3, 5, 2)
    x = torch.randn(4, 40, 3)
    for layers in (ours, theirs):
        layers.weight_hh_l0.requires_grad_(False)
        layers(x)[0].sin().sum().backward()
        assert layers.weight_hh_l0.grad is None
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad)


@pytest.mark.parametrize(
    ("x", "state"), [((4, 40, 2), (1, 4, 5)), ((4, 40, 3), (1, 1, 5)), ((4, 40, 3), (2, 4, 5))]
)
def test_shapes_are_checked_as_by_pytorch(x: Any, state: Any) -> None:
    messages = []
    for layers in pair(3, 5):
        with pytest.raises(RuntimeError) as error:
            layers(torch.zeros(x), torch.zeros(state))
        messages.append(str(error.value))
    assert messages[0] == messages[1]


def packed() -> Any:
    return pack_padded_sequence(torch.randn(2, 40, 3), torch.tensor([40, 9]), batch_first=True)


@pytest.mark.parametrize(
    ("options", "x"),
    [
        ({}, packed),
        ({}, lambda: torch.randn(2, gru.FEWEST_TRAINED - 1, 3)),
        ({}, lambda: torch.randn(40, 3)),
        ({"bidirectional": True}, lambda: torch.randn(2, 40, 3)),
        ({"bias": False}, lambda: torch.randn(2, 40, 3)),
    ],
)
def test_pytorch_computes_what_is_not_plain(
    fast: list[int], options: dict[str, bool], x: Callable[[], Any]
) -> None:
    ours, theirs = pair(3, 5, **options)
    given = x()
    assert torch.equal(ours(given)[1], theirs(given)[1])
    assert not fast


def test_without_gradients_short_sequences_are_pytorchs(fast: list[int]) -> None:
    ours, theirs = pair(3, 5)
    x = torch.randn(2, gru.FEWEST - 1, 3)
    with torch.inference_mode():
        assert torch.equal(ours(x)[0], theirs(x)[0])
    assert not fast


def test_pytorch_computes_in_mixed_precision(fast: list[int]) -> None:
    ours, theirs = pair(3, 5)
    x = torch.randn(2, 40, 3)
    with torch.autocast("cpu", torch.bfloat16):
        mixed, expected = ours(x)[0], theirs(x)[0]
    assert torch.equal(mixed, expected)
    assert mixed.dtype == expected.dtype
    assert not fast


@pytest.mark.filterwarnings("ignore")  # of tracing itself
def test_traces_and_exported_programs_have_pytorchs_layer(fast: list[int]) -> None:
    ours, _ = pair(3, 5)
    x = torch.randn(2, 40, 3)
    with torch.no_grad():
        traced = torch.jit.trace(ours, (x,), check_trace=False)
        exported = torch.export.export(ours, (x,))
    assert traced.graph.findNode("aten::gru")
    assert any("gru" in str(node.target) for node in exported.graph.nodes)
    assert not fast


def test_second_derivatives_are_refused() -> None:
    ours, _ = pair(3, 5)
    x = torch.randn(2, 40, 3, requires_grad=True)
    (first,) = torch.autograd.grad(ours(x)[0].sin().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
