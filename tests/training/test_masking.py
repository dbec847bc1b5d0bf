import torch

from rvae.training.masking import hide


def test_nothing_is_made_up_and_something_is_left() -> None:
    torch.manual_seed(0)
    mask = torch.rand(500, 20, 3) > 0.2
    mask[0] = False
    seen = hide(mask, share=1.0)
    assert not (seen & ~mask).any()
    assert seen[1:].any((1, 2)).all()
    assert not seen[0].any()


def test_the_share_of_windows_is_kept() -> None:
    torch.manual_seed(0)
    mask = torch.ones(4000, 20, 2, dtype=torch.bool)
    assert torch.equal(hide(mask, 0.0), mask)
    touched = (hide(mask, 0.3) != mask).any((1, 2)).float().mean()
    assert abs(touched - 0.3) < 0.04


def test_ends_stretches_and_channels_are_hidden() -> None:
    torch.manual_seed(0)
    seen = hide(torch.ones(2000, 20, 2, dtype=torch.bool), 1.0)
    channel = (~seen).all(1).any(1) & seen.any((1, 2))
    ends = ~seen[:, -1].any(1)
    inside = seen[:, 0].any(1) & seen[:, -1].any(1) & ~channel & (~seen).any((1, 2))
    for kind in (channel, ends, inside):
        assert kind.float().mean() > 0.15
