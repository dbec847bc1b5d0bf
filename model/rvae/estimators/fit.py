"""Training in one call."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rvae.data.frames import as_frame, time_index
from rvae.data.holes import short_pieces
from rvae.data.readers import read
from rvae.estimators.model import Model
from rvae.estimators.options import Options, merge, parse_options, read_options
from rvae.estimators.train import train

__all__ = ["fit"]


def fit(
    source: Any,
    /,
    *,
    window: int | None = None,
    stride: int | None = None,
    units: Mapping[str, str] | None = None,
    label: str | None = None,
    time: str | None = None,
    series: str | None = None,
    columns: Sequence[str] | None = None,
    categorical: Sequence[str] | None = None,
    classes: str | None = None,
    data: Options | None = None,
    reader: Options | None = None,
    model: Options | None = None,
    objective: Options | None = None,
    scoring: Options | None = None,
    training: Options | None = None,
    config: str | Path | None = None,
    output: str | Path | None = None,
    progress: bool = False,
) -> Model:
    """Train a model.

    Every option of a configuration file of `rvae fit` is valid here: the most common ones by their
    names, all of them in sections, as in `training={"epochs": 20}`.

    Args:
        source: A frame of pandas, polars or Arrow, the path of a file or folder, or an array (N,),
            (N, C) or (S, N, C). An index of times in pandas is the column of times.
        window: Time steps T of a window; two periods of the series if left out.
        stride: Steps between the starts of neighbouring windows; 1 if left out.
        units: Units of channels, by name.
        label: Column whose non-zero entries mark anomalies, which are not trained on.
        time: Column of the times.
        series: Column with the name of each row's series.
        columns: Columns that are numeric channels; if left out, all numeric ones without a role.
        categorical: Columns that are channels of categories.
        classes: Column with the class of each step.
        data: Further options of windows and splits.
        reader: Further options of reading.
        model: Options of the network.
        objective: Options of the loss.
        scoring: Options of the score.
        training: Options of the optimization.
        config: Configuration file; what is given here takes the place of what it says.
        output: Folder for the checkpoint, the logs and the state of training; none are kept if left
            out.
        progress: Whether to show progress bars.

    Raises:
        FieldError: If the data or an option is not valid.

    Warns:
        UserWarning: If rows between two holes in the times are left out: too few for a window.
    """
    frame = as_frame(source)
    if time is None and frame is not None:
        time = time_index(frame)
    named = {
        "data": _stated({"window": window, "stride": stride, "units": units}),
        "reader": _stated(
            {
                "label": label,
                "time": time,
                "series": series,
                "columns": columns,
                "categorical": categorical,
                "classes": classes,
            }
        ),
    }
    sections = {
        "data": data,
        "reader": reader,
        "model": model,
        "objective": objective,
        "scoring": scoring,
        "training": training,
    }
    options = {} if config is None else read_options(config)
    configured = options.pop("output", None)
    folder = configured if output is None else output
    for more in (_stated(sections), named, {"data": {"path": ""}}):
        options = merge(options, more)
    plan, reading = parse_options(options)
    kept = None if folder is None else Path(folder)
    dataset = read(source, reading)
    made = Model(train(dataset, plan, kept, progress).artifact)
    for note in short_pieces(dataset.series, made.card.window):
        warnings.warn(note, stacklevel=2)
    return made


def _stated(parameters: Options) -> dict[str, Any]:
    """Parameters that are not left out. Within a section, None is a value as in a file."""
    return {name: value for name, value in parameters.items() if value is not None}
