import torch

from rvae.networks.features import Features


def test_numbers_alone_are_read_as_they_are() -> None:
    features = Features([0, 0], embedding=3, conditions=0)
    x, mask = torch.randn(2, 5, 2), torch.rand(2, 5, 2) > 0.5
    found, observed = features(x, mask, torch.zeros(2, 5, 0))
    assert features.width == 2
    assert torch.equal(found, x) and torch.equal(observed, mask)


def test_numbers_come_first_then_embeddings_then_conditions() -> None:
    torch.manual_seed(0)
    features = Features([3, 0, 2], embedding=4, conditions=1)
    assert features.width == 1 + 2 * 4 + 1
    x = torch.tensor([[[2.0, 0.5, 1.0], [0.0, torch.nan, 2.0]]])
    mask = ~x.isnan()
    conditions = torch.randn(1, 2, 1)
    found, observed = features(x, mask, conditions)
    first, last = (one.weight for one in features.embeddings)
    torch.testing.assert_close(
        found[0, 0], torch.cat([x[0, 0, 1:2], first[2], last[1], conditions[0, 0]])
    )
    assert not found[0, 1, 1:5].any()  # the unknown category is the origin
    torch.testing.assert_close(found[0, 1, 5:9], last[2])
    assert observed[0].tolist() == [[True] * 10, [False] + [True] * 9]


def test_what_stands_at_a_missing_place_has_no_part_in_an_embedding() -> None:
    features = Features([3], embedding=2, conditions=0)
    nothing = torch.zeros(1, 2, 0)
    mask = torch.tensor([[[True], [False]]])
    found = [
        features(torch.tensor([[[1.0], [odd]]]), mask, nothing)[0] for odd in (torch.nan, 9e9, 2.0)
    ]
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


def test_conditions_after_the_last_value_are_no_part_of_the_window() -> None:
    features = Features([0], embedding=1, conditions=1)
    x = torch.tensor([[[1.0], [torch.nan], [2.0], [torch.nan]]])
    _, observed = features(x, ~x.isnan(), torch.ones(1, 4, 1))
    assert observed[0, :, 1].tolist() == [True, True, True, False]
