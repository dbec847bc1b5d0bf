import numpy as np
import torch

from rvae.data.scaler import Scaler
from rvae.scoring.channel_errors import add_categories, target

NUMBERS = Scaler((0.0, 0.0), (1.0, 1.0), (0, 0))
MIXED = Scaler((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0, 3, 0))


def test_numbers_stay_as_they_are() -> None:
    x = torch.randn(2, 4, 2)
    assert torch.equal(target(x, NUMBERS), x)
    assert add_categories(x, NUMBERS) is x


def test_a_category_is_one_of_several_outputs_and_one_error() -> None:
    x = torch.tensor([[[0.5, 2.0, torch.nan], [torch.nan, torch.nan, 1.0]]])
    nan = np.nan
    expected = [[[0.5, 0, 1, 0, nan], [nan, nan, nan, nan, 1.0]]]
    np.testing.assert_array_equal(target(x, MIXED), np.array(expected, dtype=np.float32))
    errors = torch.arange(10.0).view(1, 2, 5)
    assert add_categories(errors, MIXED).tolist() == [[[0, 6, 4], [5, 21, 9]]]
