"""A scored series as an interactive page."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.plots.interactive import interactive_series, save_page
from rvae.plots.scored_series import ScoredSeries
from rvae.scoring.events import Event

HOUR = np.timedelta64(1, "h")


def made(length: int = 30, **of: Any) -> ScoredSeries:
    random = np.random.default_rng(0)
    values, reconstruction = random.normal(size=(2, length, 2))
    scored = {
        "values": values,
        "reconstruction": reconstruction,
        "scores": random.exponential(size=length),
        "channels": ("heat", "a <b>"),
        "lower": reconstruction - 1,
        "upper": reconstruction + 1,
        "thresholds": np.full(length, 2.5),
        "events": (Event(3, 9, 5, 7.5, 2.25, (("heat", 7.0),), 0.1, False),),
        "times": np.datetime64("2026-05-31", "us") + np.arange(length) * HOUR,
    }
    return ScoredSeries(**(scored | of))


def trace(figure: Any, name: str, row: int) -> Any:
    axis = "y" if row == 1 else f"y{row}"
    (found,) = (one for one in figure.data if one.name == name and one.yaxis == axis)
    return found


def test_every_panel_has_its_curves() -> None:
    scored = made()
    figure = interactive_series(scored)
    for row in (1, 2):
        for name, values in (
            ("series", scored.values),
            ("reconstruction", scored.reconstruction),
            ("lower bound", scored.lower),
            ("upper bound", scored.upper),
        ):
            drawn = trace(figure, name, row)
            np.testing.assert_allclose(drawn.y, values[:, row - 1], rtol=1e-6)
            np.testing.assert_array_equal(np.asarray(drawn.x, "datetime64[us]"), scored.times)
    np.testing.assert_allclose(trace(figure, "score", 3).y, scored.scores, rtol=1e-6)
    assert set(trace(figure, "threshold", 3).y) == {2.5}
    titles = [figure.layout[name].title.text for name in ("yaxis", "yaxis2", "yaxis3")]
    assert titles == ["heat", "a &lt;b&gt;", "score"]
    assert [one.name for one in figure.data if one.showlegend is not False] == [
        "series",
        "reconstruction",
        "score",
        "threshold",
        "event",
    ]


def test_panels_zoom_together() -> None:
    layout = interactive_series(made()).layout
    assert {layout.xaxis.matches, layout.xaxis2.matches} == {"x3"} or (
        {layout.xaxis2.matches, layout.xaxis3.matches} == {"x"}
    )
    assert layout.xaxis3.title.text == "time"


def test_events_are_shaded_across_all_panels_and_say_what_they_are() -> None:
    scored = made()
    figure = interactive_series(scored)
    (shape,) = figure.layout.shapes
    assert [np.datetime64(shape[end], "us") for end in ("x0", "x1")] == list(scored.places[[3, 8]])
    assert (shape.yref, shape.y0, shape.y1) == ("paper", 0, 1)
    peak = trace(figure, "event", 3)
    assert list(peak.y) == [scored.scores[5]]
    assert peak.text == ("steps 3 to 8, score 7.5, severity 2.25<br>heat",)
    assert not interactive_series(made(events=())).layout.shapes


def test_steps_categories_and_lone_values() -> None:
    values = np.ones((30, 2))
    values[[4, 6]] = np.nan
    scored = made(values=values, times=None, categories={"heat": ("low", "high")})
    figure = interactive_series(scored)
    assert list(figure.layout.yaxis.ticktext) == ["low", "high"]
    series = trace(figure, "series", 1)
    assert series.line.shape == "hv" and series.mode == "lines+markers"
    assert np.flatnonzero(series.marker.size).tolist() == [5]
    assert trace(figure, "reconstruction", 1).mode == "lines"
    (shape,) = figure.layout.shapes
    assert (shape.x0, shape.x1) == (3, 8)
    assert figure.layout.xaxis3.title.text == "time step"


def test_neither_band_nor_threshold_is_needed_and_long_series_are_thinned() -> None:
    scored = made(100_000, lower=None, upper=None, thresholds=None, times=None, events=())
    scored.values[77_777, 0] = 99
    figure = interactive_series(scored, ["heat"])
    assert [one.name for one in figure.data] == ["series", "reconstruction", "score"]
    drawn = trace(figure, "series", 1)
    assert len(drawn.x) < 20_000
    assert drawn.x[np.argmax(drawn.y)] == 77_777
    assert "of 50 steps each" in figure.layout.xaxis2.title.text
    assert "1 of 2 channels" in figure.layout.xaxis2.title.text


def test_a_page_needs_no_network(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    save_page(interactive_series(made()), path)
    page = path.read_text()
    assert not re.findall(r"<(?:script|link)[^>]+(?:src|href)=", page)
    assert "Plotly.newPlot" in page and json.dumps("heat") in page
    for wrong in (tmp_path / "page.png", tmp_path / "folder.html"):
        (tmp_path / "folder.html").mkdir(exist_ok=True)
        with pytest.raises(FieldError, match="output"):
            save_page(interactive_series(made()), wrong)
