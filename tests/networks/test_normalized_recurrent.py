from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rvae.networks.normalized_recurrent import NormalizedRecurrent

KINDS = pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])


@KINDS
@pytest.mark.parametrize("bidirectional", [False, True])
def test_without_its_normalizations_it_is_pytorchs(
    kind: Callable[..., nn.RNNBase], bidirectional: bool
) -> None:
    ours = NormalizedRecurrent(kind, 3, 5, 2, 0.0, bidirectional, "layer")
    for after in ours.after:
        after[0] = nn.Identity()
    theirs = kind(3, 5, 2, batch_first=True, bidirectional=bidirectional)
    weights = {
        f"{name.removesuffix('_reverse')[:-1]}{i}{'_reverse' * name.endswith('_reverse')}": weight
        for i, layer in enumerate(ours.layers)
        for name, weight in layer.state_dict().items()
    }
    theirs.load_state_dict(weights)
    one = torch.randn(2 * (1 + bidirectional), 4, 5)
    x, state = torch.randn(4, 7, 3), (one, one + 1) if kind is nn.LSTM else one
    for start in (None, state):
        torch.testing.assert_close(ours(x, start), theirs(x, start))
    packed = pack_padded_sequence(x, [7, 5, 3, 1], batch_first=True)
    (mine, last), (other, other_last) = ours(packed, state), theirs(packed, state)
    torch.testing.assert_close(mine.data, other.data)
    torch.testing.assert_close(last, other_last)


@KINDS
def test_the_outputs_of_every_step_are_normalized(kind: Callable[..., nn.RNNBase]) -> None:
    layers = NormalizedRecurrent(kind, 3, 50, 2, 0.0, False, "layer")
    x, _ = layers(torch.randn(4, 7, 3))
    torch.testing.assert_close(x.mean(2), torch.zeros(4, 7), atol=1e-5, rtol=0)
    torch.testing.assert_close(x.std(2, correction=0), torch.ones(4, 7), atol=1e-2, rtol=0)


def test_statistics_of_batches_leave_out_padding() -> None:
    layers = NormalizedRecurrent(nn.LSTM, 3, 6, 1, 0.0, True, "batch")
    packed = pack_padded_sequence(torch.randn(3, 7, 3), [7, 2, 1], batch_first=True)
    outputs, _ = layers(packed)
    assert len(outputs.data) == 10
    torch.testing.assert_close(outputs.data.mean(0), torch.zeros(12), atol=1e-5, rtol=0)
    padded, lengths = pad_packed_sequence(outputs, batch_first=True)
    assert lengths.tolist() == [7, 2, 1]
    assert padded.shape == (3, 7, 12)


def test_dropout_is_between_layers() -> None:
    layers = NormalizedRecurrent(nn.LSTM, 3, 6, 3, 0.5, False, "layer")
    assert [after[-1].p for after in layers.after] == [0.5, 0.5, 0.0]
