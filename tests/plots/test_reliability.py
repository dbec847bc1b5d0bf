from pathlib import Path
from types import SimpleNamespace

import pytest
from matplotlib.figure import Figure

from rvae.errors import FieldError
from rvae.plots.reliability import plot_reliability
from rvae.plots.saving import save_axes


def rate(promised: float, measured: float) -> SimpleNamespace:
    return SimpleNamespace(
        promised=promised,
        measured=measured,
        low=measured / 2,
        high=2 * measured + 0.001,
        most=3 * promised,
    )


def test_rates_are_drawn_in_their_units(tmp_path: Path) -> None:
    windows = [rate(0.02, 0.03), rate(0.05, 0.04)]
    events = [rate(2e-4, 1e-4), rate(5e-4, 0.0)]
    left, right = plot_reliability(windows, events, (0.01, 1e-4), ("week", 10_080))
    points = [line.get_xydata()[0].tolist() for line in left.lines if line.get_marker() == "o"]
    assert sorted(points) == [pytest.approx([2, 3]), pytest.approx([5, 4])]
    assert "per week" in right.get_xlabel() and left.get_xscale() == right.get_yscale() == "log"
    # Nothing is promised left of the smallest share.
    shaded = left.patches[0].get_extents().transformed(left.transData.inverted())
    assert shaded.x1 == pytest.approx(1.0)
    # A rate of zero is a mark at the edge.
    (zero,) = [line for line in right.lines if line.get_marker() == "v"]
    assert zero.get_ydata()[0] == right.get_ylim()[0]
    save_axes(left, tmp_path / "drawn.svg")
    assert "not promised" in (tmp_path / "drawn.svg").read_text()


def test_own_axes_are_drawn_on() -> None:
    axes = Figure().subplots(1, 2)
    assert plot_reliability([rate(0.1, 0.1)], [rate(0.1, 0.1)], (0.1, 0.1), ("s", 1), axes)
    assert axes[0].get_xlabel()
    with pytest.raises(FieldError, match="expected 2, got 1"):
        plot_reliability([rate(0.1, 0.1)], [rate(0.1, 0.1)], (0.1, 0.1), ("s", 1), axes[:1])
