"""A GRU that is faster on a CPU, above all in training."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = ["Gru"]

# Numbers of a chunk's gates, which stay in the processor's cache until they are used.
CHUNK = 1 << 18

# Steps of a chunk whose gates are not kept: few, because their views are made only once.
REUSED_STEPS = 32

# Steps from which on this way is the faster one, with gradients and without them.
FEWEST_TRAINED = 8
FEWEST = 32


class Gru(nn.GRU):
    """PyTorch's GRU, with a faster way for plain sequences on a CPU.

    PyTorch has a fused LSTM for CPUs but no fused GRU: a step takes a dozen small operations, its
    gradient as many again, and a product of its own for the weights' gradient. Here a step takes
    five operations forwards and three backwards, and the weights' gradient a few large products.

    Parameters are PyTorch's. Its own layer still computes on other devices, in mixed precision, for
    packed and for short sequences, for layers without biases or in two directions, and when the
    network is exported. Second derivatives are not available on the faster way.
    """

    def forward(self, x: Any, state: Any = None) -> Any:
        """Same as `torch.nn.GRU`."""
        if not self._is_plain(x):
            return super().forward(x, state)
        self.check_input(x, None)
        if state is None:
            state = x.new_zeros(self.num_layers, len(x), self.hidden_size)  # (depth, B, H)
        self.check_hidden_size(state, (self.num_layers, len(x), self.hidden_size))
        steps, last = x.transpose(0, 1), []  # (T, B, inputs)
        for i, weights in enumerate(self.all_weights):
            if i and self.dropout:
                steps = nn.functional.dropout(steps, self.dropout, self.training)
            if torch.is_grad_enabled():
                steps = _Layer.apply(steps, state[i], *weights)  # type: ignore[no-untyped-call]
            else:
                steps = _run(steps, state[i], _Weights(*weights), keep=False)[0][1:]  # (T, B, H)
            last.append(steps[-1])
        return steps.transpose(0, 1), torch.stack(last)  # (B, T, H), (depth, B, H)

    def _is_plain(self, x: Any) -> bool:
        if torch._C._get_tracing_state() is not None or torch.compiler.is_compiling():
            return False
        return (
            isinstance(x, Tensor)
            and x.dim() == 3
            and len(x) > 0
            and x.shape[1] >= (FEWEST_TRAINED if torch.is_grad_enabled() else FEWEST)
            and x.device.type == "cpu"
            and self.bias
            and self.batch_first
            and not self.bidirectional
            and not torch.is_autocast_enabled("cpu")
        )


@dataclass(frozen=True)
class _Weights:
    """Parameters of a layer, in PyTorch's order: gates reset, update, new.

    Attributes:
        inputs: Weights of the inputs (3 * H, inputs).
        states: Weights of the states (3 * H, H).
        input_bias: (3 * H,).
        state_bias: (3 * H,).
    """

    inputs: Tensor
    states: Tensor
    input_bias: Tensor
    state_bias: Tensor


class _Gates:
    """Gates of K steps, and views of each step's.

    Args:
        like: A tensor of the type of the gates.
        steps: Steps K.
        batch: Windows B.
        hidden: Hidden units H.
    """

    def __init__(self, like: Tensor, steps: int, batch: int, hidden: int) -> None:
        # Reset and update gates, and the states' part of the new gates: one product for each step.
        self.products = like.new_empty(steps, batch, 3 * hidden)  # (K, B, 3 * H)
        # Alone, because the hyperbolic tangent is faster where nothing lies in between.
        self.new = like.new_empty(steps, batch, hidden)  # (K, B, H)
        self.both = self.products[..., : 2 * hidden]  # (K, B, 2 * H)
        self.reset, self.update, self.of_states = self.products.chunk(3, dim=2)  # (K, B, H) each
        self.steps = list(
            zip(
                *(
                    part.unbind(0)
                    for part in (
                        self.products,
                        self.both,
                        self.reset,
                        self.update,
                        self.of_states,
                        self.new,
                    )
                ),
                strict=True,
            )
        )

    def start(self, x: Tensor, weights: _Weights, transposed: Tensor) -> None:
        """Set what the gates of steps (K, B, inputs) or fewer have of inputs and biases."""
        hidden = self.new.shape[2]
        rows = x.reshape(-1, x.shape[2])  # (K * B, inputs)
        products = self.products.view(-1, 3 * hidden)[: len(rows)]  # (K * B, 3 * H)
        bias = (weights.input_bias + weights.state_bias)[: 2 * hidden]  # (2 * H,)
        both, of_states = products.split([2 * hidden, hidden], dim=1)
        torch.addmm(bias, rows, transposed[:, : 2 * hidden], out=both)
        of_states.copy_(weights.state_bias[2 * hidden :])
        torch.addmm(
            weights.input_bias[2 * hidden :],
            rows,
            transposed[:, 2 * hidden :],
            out=self.new.view(-1, hidden)[: len(rows)],
        )


def _run(x: Tensor, state: Tensor, weights: _Weights, keep: bool) -> tuple[Tensor, list[_Gates]]:
    """Run a layer.

    Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder", eq. 5 to 8, with
    the reset gate after the product, as in PyTorch: n = tanh(W x + b + r * (U h + c)) and
    h' = (1 - z) * n + z * h.

    Args:
        x: Inputs of each step (T, B, inputs).
        state: The first hidden state (B, H).
        weights: The layer's parameters.
        keep: Whether to return the gates.

    Returns:
        Hidden states before and after each step (T + 1, B, H), and chunks of gates.
    """
    states = x.new_empty(len(x) + 1, *state.shape)  # (T + 1, B, H)
    states[0] = state
    each = states.unbind(0)
    # With rows that lie one after another, products of few windows take half the time.
    of_inputs, of_states = weights.inputs.t().contiguous(), weights.states.t().contiguous()
    size = _steps_per_chunk(state, len(x), keep)
    chunks: list[_Gates] = []
    for first in range(0, len(x), size):
        if keep or not chunks:
            chunks.append(_Gates(state, min(size, len(x) - first), *state.shape))
        gates = chunks[-1]
        gates.start(x[first : first + size], weights, of_inputs)
        following = each[first + 1 : first + size + 1]
        for before, after, (products, both, reset, update, of_state, new) in zip(
            each[first:], following, gates.steps, strict=False
        ):
            products.addmm_(before, of_states)
            both.sigmoid_()
            new.addcmul_(reset, of_state).tanh_()
            torch.lerp(new, before, update, out=after)
    return states, chunks


def _steps_per_chunk(state: Tensor, steps: int, keep: bool) -> int:
    most = max(1, CHUNK // (4 * state.numel()))
    return min(steps, most if keep else min(most, REUSED_STEPS))


class _Layer(torch.autograd.Function):
    """One layer, with its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, state: Tensor, *parameters: Tensor) -> Tensor:
        weights = _Weights(*parameters)
        states, chunks = _run(x, state, weights, keep=True)
        gates = [tensor for chunk in chunks for tensor in (chunk.products, chunk.new)]
        ctx.save_for_backward(x, states, weights.inputs, weights.states, *gates)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, states, of_inputs, of_states, *gates = ctx.saved_tensors
        hidden = states.shape[2]
        both, new = slice(0, 2 * hidden), slice(3 * hidden, 4 * hidden)
        d_x = torch.empty_like(x) if ctx.needs_input_grad[0] else None
        d_inputs, d_states = torch.zeros_like(of_inputs), torch.zeros_like(of_states)
        d_bias = states.new_zeros(4 * hidden)
        d_state = gradient[-1].clone()  # (B, H)
        each = gradient.unbind(0)
        first = len(x)
        for products, n in zip(gates[-2::-2], gates[::-2], strict=True):
            last, first = first, first - len(n)
            before = states[first:last]  # (K, B, H)
            slopes = _slopes(products, n, before)  # (K, B, 4 * H)
            update = products[..., hidden : 2 * hidden].unbind(0)
            by_gate = slopes.unflatten(2, (4, hidden)).unbind(0)
            of_products = slopes[..., : 3 * hidden].unbind(0)
            for i in reversed(range(len(n))):
                by_gate[i].mul_(d_state[:, None])
                if first + i:
                    torch.addcmul(each[first + i - 1], d_state, update[i], out=d_state)
                else:
                    d_state.mul_(update[i])
                d_state.addmm_(of_products[i], of_states)
            rows = slopes.flatten(0, 1)  # (K * B, 4 * H)
            inputs = x[first:last].flatten(0, 1)  # (K * B, inputs)
            d_states.addmm_(rows[:, : 3 * hidden].t(), before.flatten(0, 1))
            d_inputs[both].addmm_(rows[:, both].t(), inputs)
            d_inputs[2 * hidden :].addmm_(rows[:, new].t(), inputs)
            d_bias += rows.sum(0)
            if d_x is not None:
                d_x[first:last] = (
                    (rows[:, both] @ of_inputs[both])
                    .addmm_(rows[:, new], of_inputs[2 * hidden :])
                    .view_as(d_x[first:last])
                )
        d_input_bias = torch.cat([d_bias[both], d_bias[new]])
        return d_x, d_state, d_inputs, d_states, d_input_bias, d_bias[: 3 * hidden]


def _slopes(products: Tensor, new: Tensor, before: Tensor) -> Tensor:
    """Derivatives of the hidden state by what goes into each gate, for K steps at once.

    Args:
        products: Reset and update gates, and the states' part of the new gates (K, B, 3 * H).
        new: New gates (K, B, H).
        before: Hidden states before each step (K, B, H).

    Returns:
        By reset and update gates, by the states' part of the new gates, and by the new gates'
        inputs (K, B, 4 * H).
    """
    reset, update, of_states = products.chunk(3, dim=2)
    slopes = new.new_empty(*new.shape[:2], 4 * new.shape[2])
    by_reset, by_update, by_of_states, by_new = slopes.chunk(4, dim=2)
    torch.mul(1 - update, 1 - new * new, out=by_new)
    torch.mul(by_new, reset, out=by_of_states)
    torch.mul((before - new).mul_(update), 1 - update, out=by_update)
    torch.mul(by_of_states * of_states, 1 - reset, out=by_reset)
    return slopes
