"""Pictures that a notebook shows."""

from matplotlib import pyplot
from matplotlib.axes import Axes

__all__ = ["show"]


def show(axes: Axes) -> None:
    """Hand the figure of some axes to pyplot, through which notebooks and `pyplot.show` show it."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    pyplot.figure(figure)
