import pytest
from matplotlib.figure import Figure

from rvae.errors import FieldError
from rvae.plots.panels import stacked_axes


def test_there_is_one_more_than_channels_and_they_share_their_horizontal_axis() -> None:
    panels = stacked_axes(3, None, width=9)
    assert len(panels) == 4
    panels[0].set_xlim(2, 5)
    assert panels[3].get_xlim() == (2, 5)
    tops = [axes.get_position().y1 for axes in panels]
    assert tops == sorted(tops, reverse=True)


def test_given_axes_are_used_if_they_are_enough() -> None:
    given = Figure().subplots(2).tolist()
    assert stacked_axes(1, given, width=9) == given
    with pytest.raises(FieldError, match=r"^axes: expected 3, one for each channel .* got 2$"):
        stacked_axes(2, given, width=9)
