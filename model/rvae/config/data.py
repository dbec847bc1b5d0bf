"""What the training data is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rvae.errors import require

__all__ = ["DataConfig", "ReaderConfig"]

MAX_UNIT_LENGTH = 40


@dataclass(frozen=True)
class ReaderConfig:
    """How a file becomes series.

    Attributes:
        layout: "series": a row is a time step and a column a channel. "rows": a row is a whole
            series of one channel, missing at its end where it is shorter. Files of the UCR archive
            are "rows" by themselves.
        columns: Names of the channels in a table that hold numbers; all numeric columns that are
            named nowhere else if left out.
        categorical: Columns of a table that are channels too and hold categories.
        array: Name of the data in an .npz file; may be left out where only one array fits.
        time: Column (in an .npz: array) with the times of the steps, which must rise.
        label: Column (in an .npz: array) whose non-zero entries mark anomalies.
        classes: Column (in an .npz: array) with the class of each step, or series. Files of the UCR
            archive have classes by themselves.
        normal: Classes that are normal: all others mark anomalies.
        series: Column that tells the series of a table apart.
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

    def __post_init__(self) -> None:
        # What comes back from YAML or JSON is a list.
        for name in ("columns", "categorical", "normal"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, tuple(getattr(self, name)))
        require(self.columns is None or bool(self.columns), "reader.columns", "names no column")
        require(
            not (self.normal and self.label),
            "reader.normal",
            "says what an anomaly is, and so does reader.label",
        )
        roles = {
            "columns": self.columns or (),
            "categorical": self.categorical,
            **{name: (getattr(self, name),) for name in ("time", "label", "series")},
        }
        seen: dict[str, str] = {}
        for role, names in roles.items():
            for name in names:
                if name is not None:
                    require(
                        name not in seen,
                        f"reader.{role}",
                        f"names {name!r}, and so does reader.{seen.get(name)}",
                    )
                    seen[name] = role


@dataclass(frozen=True)
class DataConfig:
    """The training data, and how it is cut.

    Attributes:
        path: File with the data: .csv, .parquet, .npy or .npz, or a .tsv, .txt or .ts of the UCR
            archive. Or a folder of .npy or .parquet files, which may be larger than memory.
        window: Time steps of a window. If left out, the whole series where the layout is "rows";
            else two periods of the series, within 96 to 256 steps and a seventh of its length.
        stride: Steps between the starts of neighbouring windows, here and when serving.
        split: "time" cuts every series in time. "random" and "order" deal out whole series, at
            random or the first to training and the last to calibration. "auto" is "random" where
            there are at least 20 series, else "time".
        validation: Share of the data that chooses the checkpoint.
        calibration: Share of the data that turns scores into probabilities.
        constant: What becomes of a channel that does not vary in the training part: "refuse" it, or
            "keep" it in its own unit, as something whose first change is telling.
        units: Units of numeric channels, by name, which travel with the model: "{heat: °C}".
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
            "leaves nothing to train on together with data.calibration",
        )
        for name, unit in (self.units or {}).items():
            require(
                bool(unit.strip()) and len(unit) <= MAX_UNIT_LENGTH,
                "data.units",
                f"that of {name} must have 1 to {MAX_UNIT_LENGTH} characters, got {unit!r}",
            )
