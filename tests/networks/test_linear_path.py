import torch

from rvae.networks.linear_path import LinearPath


def test_at_first_the_linear_part_is_all_there_is() -> None:
    torch.manual_seed(0)
    path = LinearPath(inputs=2, latent=3, outputs=4, window=5)
    z, outputs = torch.randn(6, 7), torch.randn(6, 5, 4)
    linear = path.loadings(z[:, :3]).view(6, 5, 4)
    torch.testing.assert_close(path.add_linear_part(outputs, z), linear)
    path.gain.data.fill_(0.5)
    torch.testing.assert_close(path.add_linear_part(outputs, z), linear + 0.5 * outputs)


def test_scores_are_linear_in_what_was_observed() -> None:
    torch.manual_seed(0)
    path = LinearPath(inputs=1, latent=2, outputs=1, window=3)
    x, observed = torch.tensor([[[1.0], [9.0], [2.0]]]), torch.tensor([[[True], [False], [True]]])
    scores = path.append_scores(torch.zeros(1, 4), x, observed)[:, 4:]
    torch.testing.assert_close(scores, path.scores(torch.tensor([[1.0, 1.0, 2.0]])))
