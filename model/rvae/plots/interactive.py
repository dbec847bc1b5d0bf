"""A scored series as an interactive page, by plotly."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plotly.graph_objects import Figure, Scatter
from plotly.subplots import make_subplots

from rvae.errors import require
from rvae.plots.colours import ANOMALY, RECONSTRUCTION, SERIES, TEXT
from rvae.plots.downsampling import drawn_steps
from rvae.plots.lines import lone_values
from rvae.plots.scored_series import ScoredSeries
from rvae.plots.series import axis_notes

__all__ = ["interactive_series", "save_page"]

PIXELS_PER_PANEL, PIXELS_AROUND = 180, 160
BAND_FILL = "rgba(232, 145, 45, 0.25)"  # of the reconstruction's colour


def interactive_series(scored: ScoredSeries, channels: Sequence[str] | None = None) -> Figure:
    """The picture of `plot_scored_series` as a figure of plotly, whose panels zoom together.

    Args:
        scored: The series.
        channels: Names of the channels; if left out all, or those that lead in events of many.

    Raises:
        FieldError: If a channel is unknown.
    """
    shown = scored.shown(channels)
    rows = len(shown) + 1
    figure = make_subplots(rows, 1, shared_xaxes=True, vertical_spacing=0.15 / rows)
    for row, channel in enumerate(shown, 1):
        _add_channel(figure, scored, channel, row)
    _add_score(figure, scored, rows)
    _add_events(figure, scored, rows)
    figure.update_xaxes(title_text="<br>".join(axis_notes(scored, len(shown))), row=rows)
    figure.update_layout(
        title_text=escape(scored.name),
        height=PIXELS_PER_PANEL * rows + PIXELS_AROUND,
        hovermode="x unified",
        template="plotly_white",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
    )
    return figure


def save_page(figure: Figure, path: Path) -> None:
    """Write a figure as a page that needs no network: plotly's own code is inside.

    Raises:
        FieldError: If the file does not end in .html, or is a folder.
    """
    require(path.suffix == ".html", "output", f"must end in .html, got {path}")
    require(not path.is_dir(), "output", f"is a folder: {path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.write_html(path, include_plotlyjs=True)


def _add_channel(figure: Figure, scored: ScoredSeries, channel: int, row: int) -> None:
    values, reconstruction = scored.values[:, channel], scored.reconstruction[:, channel]
    steps = drawn_steps((values, reconstruction), len(scored), scored.spans.ravel())
    x, first = scored.places[steps], row == 1
    categories = scored.category_names(channel)
    shape = "hv" if categories else "linear"
    traces = []
    if scored.lower is not None and scored.upper is not None:
        edge = {"line": {"width": 0, "color": RECONSTRUCTION}, "legendgroup": "band"}
        filled = {"fill": "tonexty", "fillcolor": BAND_FILL}
        lower, upper = scored.lower[steps, channel], scored.upper[steps, channel]
        traces += [
            _line(x, lower, "lower bound", showlegend=False, **edge),
            _line(x, upper, "upper bound", showlegend=False, **edge, **filled),
        ]
    for y, name, colour, width in (
        (values, "series", SERIES, 1.6),
        (reconstruction, "reconstruction", RECONSTRUCTION, 1.0),
    ):
        line = {"color": colour, "width": width, "shape": shape}
        traces.append(_line(x, y[steps], name, legendgroup=name, showlegend=first, line=line))
    for trace in traces:
        figure.add_trace(trace, row=row, col=1)
    axis: dict[str, Any] = {"title_text": escape(scored.label(channel))}
    if categories:
        axis["tickvals"] = list(categories)
        axis["ticktext"] = [escape(name) for name in categories.values()]
    figure.update_yaxes(**axis, row=row)


def _add_score(figure: Figure, scored: ScoredSeries, row: int) -> None:
    scores, thresholds = scored.scores, scored.thresholds
    curves = [scores] if thresholds is None else [scores, thresholds]
    steps = drawn_steps(curves, len(scored), scored.spans.ravel())
    x = scored.places[steps]
    traces = [_line(x, scores[steps], "score", line={"color": TEXT, "width": 1.3})]
    if thresholds is not None:
        dashed = {"color": ANOMALY, "width": 1.2, "dash": "dash"}
        traces.append(_line(x, thresholds[steps], "threshold", line=dashed))
    for trace in traces:
        figure.add_trace(trace, row=row, col=1)
    figure.update_yaxes(title_text="score", row=row)


def _add_events(figure: Figure, scored: ScoredSeries, row: int) -> None:
    """Shade events across all panels, and say what they are where they score highest."""
    if not scored.events:
        return
    figure.update_layout(
        shapes=[
            {
                "type": "rect",
                "xref": "x",
                "yref": "paper",
                "x0": _plain(start),
                "x1": _plain(end),
                "y0": 0,
                "y1": 1,
                "fillcolor": ANOMALY,
                "opacity": 0.15,
                "layer": "below",
                "line": {"color": ANOMALY, "width": 1},
            }
            for start, end in scored.places[scored.spans]
        ]
    )
    starts, ends = scored.spans.T
    peaks = np.array([event.peak - scored.first for event in scored.events]).clip(starts, ends)
    figure.add_trace(
        Scatter(
            x=scored.places[peaks],
            y=scored.scores[peaks],
            name="event",
            mode="markers",
            marker={"color": ANOMALY, "size": 8, "symbol": "diamond"},
            text=[
                f"steps {event.start} to {event.end - 1}, score {event.score:.4g}, severity "
                f"{event.severity:.3g}<br>" + escape(", ".join(name for name, _ in event.channels))
                for event in scored.events
            ],
            hovertemplate="%{text}",
        ),
        row=row,
        col=1,
    )


def _line(x: NDArray[Any], y: NDArray[np.floating], name: str, **style: Any) -> Scatter:
    lone = lone_values(y)
    if lone.any():
        style |= {"mode": "lines+markers", "marker": {"size": np.where(lone, 4, 0)}}
    else:
        style["mode"] = "lines"
    # Seven digits are enough to look at, in half the bytes.
    return Scatter(x=x, y=y.astype(np.float32), name=name, **style)


def _plain(place: Any) -> Any:
    """A number or a time as plotly takes it in shapes."""
    return str(place) if isinstance(place, np.datetime64) else int(place)
