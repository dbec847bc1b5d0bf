"""A scored series as a picture."""

import io
from typing import Any

import matplotlib.dates as mdates
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection, PolyCollection
from matplotlib.figure import Figure

from rvae.errors import FieldError
from rvae.plots.scored_series import MAX_CHANNELS, ScoredSeries
from rvae.plots.series import plot_scored_series
from rvae.scoring.events import Event


def made(
    length: int = 30, channels: tuple[str, ...] = ("heat", "speed"), **of: Any
) -> ScoredSeries:
    random = np.random.default_rng(0)
    values, reconstruction = random.normal(size=(2, length, len(channels)))
    scored = {
        "values": values,
        "reconstruction": reconstruction,
        "scores": random.exponential(size=length),
        "lower": reconstruction - 1,
        "upper": reconstruction + 1,
        "coverage": 0.99,
        "thresholds": np.full(length, 2.5),
        "name": "machine 7",
    }
    return ScoredSeries(channels=channels, **(scored | of))


def event(start: int, end: int) -> Event:
    return Event(start, end, start, 1.0, 1.0, (("heat", 1.0),), 0.1, False)


def curves(axes: Axes) -> dict[str, Any]:
    return {str(line.get_label()): np.asarray(line.get_ydata(), float) for line in axes.lines}


def spans(axes: Axes) -> list[tuple[float, float]]:
    """First and last place of each shaded event."""
    return [
        (float(corners[0, 0]), float(corners[2, 0]))
        for shaded in axes.collections
        if isinstance(shaded, PolyCollection) and not isinstance(shaded, FillBetweenPolyCollection)
        for corners in (np.asarray(path.vertices) for path in shaded.get_paths())
    ]


def draw(axes: Axes) -> None:
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.savefig(io.BytesIO(), format="png")


def words(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def test_each_channel_is_drawn_with_its_reconstruction_and_band_above_the_score() -> None:
    scored = made(units={"heat": "°C"})
    scored.values[4, 1] = np.nan
    *above, below = plot_scored_series(scored)
    assert [axes.get_ylabel() for axes in above] == ["heat (°C)", "speed"]
    for channel, axes in enumerate(above):
        drawn = curves(axes)
        np.testing.assert_array_equal(drawn["series"], scored.values[:, channel])
        np.testing.assert_array_equal(drawn["reconstruction"], scored.reconstruction[:, channel])
        (band,) = axes.collections
        edges = np.concatenate([scored.lower[:, channel], scored.upper[:, channel]])
        heights = band.get_paths()[0].vertices[:, 1]
        np.testing.assert_allclose(np.unique(heights), np.unique(edges))
    assert set(curves(below)) == {"score", "threshold 2.5"}
    np.testing.assert_array_equal(curves(below)["score"], scored.scores)
    assert above[0].get_title(loc="right") == "machine 7"
    assert words(above[0]) == ["series", "reconstruction", "band of 99 % of normal values"]
    assert below.get_xlabel() == "time step"
    draw(below)


def test_events_are_shaded_across_all_panels() -> None:
    panels = plot_scored_series(made(events=(event(3, 9), event(20, 21))))
    for axes in panels:
        assert spans(axes) == [(3, 8), (20, 20)]
    assert "2 events" in words(panels[0])


def test_an_event_of_a_single_step_is_seen_in_a_long_series() -> None:
    scored = made(60_000, ("heat",), events=(event(30_007, 30_008),))
    panels = plot_scored_series(scored)
    draw(panels[0])
    (shaded,) = panels[1].collections
    assert shaded.get_linewidth()[0] >= 0.5
    assert all(30_007 in np.asarray(axes.lines[0].get_xdata()) for axes in panels)


def test_times_are_on_the_axis() -> None:
    times = np.datetime64("2026-05-31", "us") + np.arange(30) * np.timedelta64(1, "h")
    panels = plot_scored_series(made(times=times, events=(event(3, 9),)))
    draw(panels[0])
    assert panels[-1].get_xlabel() == "time"
    assert isinstance(panels[-1].xaxis.get_major_formatter(), mdates.ConciseDateFormatter)
    assert spans(panels[0]) == [tuple(mdates.date2num(times[[3, 8]]))]


def test_many_channels_are_a_choice_that_is_said() -> None:
    names = tuple(f"c{i}" for i in range(40))
    panels = plot_scored_series(made(channels=names))
    assert len(panels) == MAX_CHANNELS + 1
    assert f"{MAX_CHANNELS} of 40 channels" in panels[-1].get_xlabel()
    chosen = plot_scored_series(made(channels=names), ["c7", "c3"])
    assert [axes.get_ylabel() for axes in chosen] == ["c7", "c3", "score"]


def test_categories_are_words() -> None:
    values = np.resize([1.0, 2, 2], (30, 2))
    scored = made(values=values, reconstruction=values, categories={"heat": ("low", "high")})
    axes = plot_scored_series(scored)[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["low", "high"]
    assert axes.lines[0].get_drawstyle() == "steps-post"


def test_a_series_may_have_neither_band_nor_threshold() -> None:
    *above, below = plot_scored_series(made(lower=None, upper=None, thresholds=None))
    assert not above[0].collections and words(above[0]) == ["series", "reconstruction"]
    assert set(curves(below)) == {"score"}
    draw(below)


def test_thresholds_that_vary_or_are_unknown_can_be_drawn() -> None:
    thresholds = np.linspace(1, 2, 30)
    thresholds[:3] = np.nan
    below = plot_scored_series(made(thresholds=thresholds))[-1]
    drawn = curves(below)["threshold"]
    assert np.isnan(drawn[:3]).all()
    np.testing.assert_array_equal(drawn[3:], thresholds[3:])
    draw(below)


def test_scores_far_above_the_threshold_do_not_flatten_it() -> None:
    below = plot_scored_series(made(scores=np.geomspace(0.1, 1e5, 30)))[-1]
    draw(below)
    assert below.get_yscale() == "symlog"
    assert plot_scored_series(made())[-1].get_yscale() == "linear"


def test_axes_of_a_user_are_used() -> None:
    given = Figure().subplots(3).tolist()
    assert plot_scored_series(made(), axes=given) == given
    with pytest.raises(FieldError, match="axes"):
        plot_scored_series(made(), axes=given[:2])


def test_a_part_has_the_steps_of_the_whole() -> None:
    panels = plot_scored_series(made(events=(event(3, 9),)).part("5", "20"))
    assert np.asarray(panels[0].lines[0].get_xdata()).tolist() == list(range(5, 20))
    assert spans(panels[0]) == [(5, 8)]


def test_a_million_points_are_drawn_by_a_few_thousand_and_a_spike_survives() -> None:
    scored = made(1_000_000, ("heat",))
    scored.values[654_321] = 99
    panels = plot_scored_series(scored)
    draw(panels[0])
    x, y = np.asarray(panels[0].lines[0].get_data())
    assert len(x) < 20_000
    assert x[y == 99].tolist() == [654_321]
    note = "of 500 steps each the first, last, lowest and highest are drawn"
    assert note in panels[1].get_xlabel()


def test_names_are_no_formulas() -> None:
    scored = made(channels=("a$\\b$",), name="$\\a$", categories={"a$\\b$": ("$\\c$",)})
    draw(plot_scored_series(scored)[0])
