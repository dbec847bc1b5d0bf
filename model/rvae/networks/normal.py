"""The normal distribution, without copies of its parameters."""

from torch import Tensor
from torch.distributions import Distribution, Normal

__all__ = ["PlainNormal"]


class PlainNormal(Normal):
    """Torch's normal distribution, whose scale may have fewer axes than its mean.

    Torch expands the scale to the shape of the mean: then its square and its logarithm are computed
    for every value, and graphs have operations for the shapes.

    Args:
        loc: Mean (..., C).
        scale: Standard deviation, of a shape that broadcasts to the mean's.
    """

    def __init__(self, loc: Tensor, scale: Tensor) -> None:
        self.loc, self.scale = loc, scale
        Distribution.__init__(self, loc.shape, validate_args=False)

    @property
    def stddev(self) -> Tensor:
        return self.scale.expand_as(self.loc)
