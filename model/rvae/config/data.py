"""Configuration of the training data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rvae.config.duration import duration
from rvae.config.file_format import FileFormat
from rvae.errors import require

__all__ = ["DataConfig", "ReaderConfig"]

MAX_UNIT_LENGTH = 40


@dataclass(frozen=True)
class ReaderConfig:
    """Reading of a file into series.

    Attributes:
        layout: "series": a row is a time step and a column a channel. "rows": a row is a whole
            series of one channel, with missing values at the end of shorter ones. Files of the UCR
            archive are always "rows".
        columns: Names of numeric channels in a table; if left out, all numeric columns without
            another role.
        categorical: Columns of a table that are channels of categories.
        array: Name of the data in an .npz file; may be left out if only one array is possible.
        time: Column (in an .npz: array) with the times of the steps, which must rise.
        label: Column (in an .npz: array) whose non-zero entries mark anomalies.
        classes: Column (in an .npz: array) with the class of each step, or series. Files of the UCR
            archive always have classes.
        normal: Classes that are normal: all others mark anomalies.
        series: Column with the name of each row's series in a table of several series.
        ignore: Columns of a table that are left out on purpose. If left out itself, these are all
            that have no role where `columns` are named; else every column needs a role.
        every: Length of a regular grid, such as "1min", "30s", "1h" or "1d", on which the steps of
            all series are placed by their times. A step is the mean of the numbers in it, the last
            of the categories and classes, and any of the labels; an empty one is missing.
        holes: What to do where a step is much longer than the others: "split" the series there, so
            that no window reaches over a hole, or "keep" it as if the steps were even.
        format: How .csv and .xlsx files are written.
    """

    layout: Literal["series", "rows"] = "series"
    columns: tuple[str, ...] | None = None
    categorical: tuple[str, ...] = ()
    array: str | None = None
    time: str | None = None
    label: str | None = None
    classes: str | None = None
    normal: tuple[str, ...] = ()
    series: str | None = None
    ignore: tuple[str, ...] | None = None
    every: str | None = None
    holes: Literal["split", "keep"] = "split"
    format: FileFormat = field(default_factory=FileFormat)

    def __post_init__(self) -> None:
        # YAML and JSON have mappings and lists, no dataclasses and tuples.
        if isinstance(self.format, Mapping):
            object.__setattr__(self, "format", FileFormat(**self.format))
        for name in ("columns", "categorical", "normal", "ignore"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, tuple(getattr(self, name)))
        require(
            self.columns is None or bool(self.columns or self.categorical),
            "reader.columns",
            "names no column",
        )
        require(
            not (self.normal and self.label),
            "reader.normal",
            "cannot be combined with reader.label: both define anomalies",
        )
        roles = {
            "columns": self.columns or (),
            "categorical": self.categorical,
            "ignore": self.ignore or (),
            **{name: (getattr(self, name),) for name in ("time", "label", "series")},
        }
        seen: dict[str, str] = {}
        for role, names in roles.items():
            for name in names:
                if name is not None:
                    require(
                        name not in seen,
                        f"reader.{role}",
                        f"names {name!r}, like reader.{seen.get(name)}",
                    )
                    seen[name] = role
        if self.every is not None:
            duration(self.every, "reader.every")
            require(
                self.time is not None,
                "reader.every",
                "needs the times of the steps: name them with --reader.time",
            )


@dataclass(frozen=True)
class DataConfig:
    """The training data, its windows and splits.

    Attributes:
        path: File with the data: .csv, .csv.gz, .xlsx, .parquet, .npy or .npz, or a .tsv, .txt or
            .ts of the UCR archive. "-" is .csv from standard input. Or a folder of .npy or .parquet
            files, which may be larger than memory.
        window: Time steps of a window. If left out, the whole series for the layout "rows"; else
            two periods of the series, within 96 to 256 steps and a seventh of its length;
            with folds an eleventh of it, if that is at least 96 steps.
        stride: Steps between the starts of neighbouring windows, here and when serving.
        split: "time" cuts every series in time. "random" and "order" assign whole series to the
            parts, at random or in order: training, validation, calibration. "auto" is "random" for
            at least 20 series, else "time".
        validation: Share of the data that selects the checkpoint.
        calibration: Share of the data that turns scores into probabilities; without effect if
            `training.folds` is more than 1.
        constant: What to do with a channel that does not vary in the training part: "refuse" it, or
            "keep" it in its own unit, so that its first change is detected.
        units: Units of numeric channels, by name, which are saved with the model: "{heat: °C}".
    """

    path: str
    window: int | None = None
    stride: int = 1
    split: Literal["auto", "time", "random", "order"] = "auto"
    validation: float = 0.15
    calibration: float = 0.15
    constant: Literal["refuse", "keep"] = "refuse"
    units: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if self.window is not None:
            require(self.window >= 2, "data.window", "must be at least 2")
        require(self.stride >= 1, "data.stride", "must be at least 1")
        for name in ("validation", "calibration"):
            require(0 < getattr(self, name) < 1, f"data.{name}", "must be in (0, 1)")
        require(
            self.validation + self.calibration < 1,
            "data.validation",
            "leaves nothing to train on in combination with data.calibration",
        )
        for name, unit in (self.units or {}).items():
            require(
                bool(unit.strip()) and len(unit) <= MAX_UNIT_LENGTH,
                "data.units",
                f"that of {name} must have 1 to {MAX_UNIT_LENGTH} characters, got {unit!r}",
            )
