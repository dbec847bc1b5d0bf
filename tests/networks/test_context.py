import torch

from rvae.networks.context import Context


def test_an_empty_context_knows_no_time_no_class_and_no_level() -> None:
    context = Context.empty(3, 5)
    assert context.time.shape == (3, 5, 0)
    assert context.label.tolist() == [-1, -1, -1]
    assert context.level is None and context.spread is None


def test_everything_that_is_known_moves_to_a_device() -> None:
    known = Context(torch.zeros(2, 5, 4), torch.zeros(2), torch.zeros(2, 1, 3), torch.ones(2, 1, 3))
    device = torch.device("meta")
    assert [part.device for part in known.to(device) if part is not None] == [device] * 4
    unknown = Context.empty(2, 5).to(device)
    assert unknown.time.device == unknown.label.device == device
    assert unknown.level is None and unknown.spread is None
