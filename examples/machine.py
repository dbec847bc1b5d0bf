"""A simulated machine with columns of numbers, text and time, and faults that break its habits.

    python examples/machine.py FOLDER

Nothing of it was measured. A row is ten minutes. Normal operation has rules for a model to learn:

- Work is from 6 to 22 o'clock, on Saturdays to 14, never on Sundays. A shift begins idle, runs jobs
  with short pauses between them, and ends with cleaning; out of it the machine is off.
- The door is open while cleaning, and at times for half an hour after it; else it is closed.
- Every mode draws its own power, one job more than another. Vibration goes with it.
- The temperature follows power slowly, and that of the room, which follows the sun.
- A few cells are missing.

The test data has faults, a few episodes of each kind. In the first three every numeric column by
itself looks as always:

- The door is open while the machine runs.
- The machine runs on a Sunday night. Until it is cool again the rows are marked as well.
- The mode is "service", which the training data does not know.
- The temperature's sensor is loose and shows that of the room, while the machine is hot.
- Vibration drifts away slowly.
"""

import csv
import sys
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np

SEED = 0
START = np.datetime64("2025-03-03T00:00:00")  # a Monday
ROWS_PER_HOUR = 6
ROWS_PER_DAY = 24 * ROWS_PER_HOUR
TRAINING_DAYS, TEST_DAYS = 28, 14
OPENS, CLOSES = 6, (22, 22, 22, 22, 22, 14, 6)  # o'clock, from Monday on
POWER = {"off": 0.2, "idle": 2.0, "cleaning": 5.0, "running": 11.0}  # kW
VIBRATION = {"off": 0.05, "idle": 0.4, "cleaning": 1.2, "running": 2.4}  # mm/s
HEATING = 2.5  # °C a kW, once it is warm
INERTIA = 0.65  # share of the way to its final temperature that is left after a row
MISSING = 0.005  # share of the cells
DECIMALS = {"temperature": 1, "power": 2, "vibration": 3}


def main(folder: Path) -> None:
    """Write machine-train.csv (all normal) and machine-test.csv (with a column `fault`, 0 or 1)."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(SEED)
    training, _ = simulate(START, TRAINING_DAYS, False, random)
    test, fault = simulate(START + np.timedelta64(TRAINING_DAYS, "D"), TEST_DAYS, True, random)
    write(folder / "machine-train.csv", training)
    write(folder / "machine-test.csv", test | {"fault": fault.astype(int)})
    episodes = (np.diff(fault.astype(int), prepend=0) == 1).sum()
    print(
        f"{len(training['time'])} normal rows to train on; {len(fault)} rows to test with, "
        f"{fault.sum()} of them faulty in {episodes} episodes, in {folder}"
    )


def simulate(
    start: np.datetime64, days: int, faulty: bool, random: np.random.Generator
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Columns (N,) of some days from a Monday on, and which rows are faulty (N,)."""
    row = np.arange(days * ROWS_PER_DAY)
    hour = row / ROWS_PER_HOUR % 24
    sunday_night = (row // ROWS_PER_DAY % 7 == 6) & ((hour < 6) | (hour >= 20))
    faults = Faults(len(row), random)
    mode, door = timetable(days, random)
    if faulty:
        for rows in faults.place(3, 12, sunday_night):
            mode[rows.start : rows.start + 4] = "running"  # then it cools down

    stretch = np.cumsum(mode != np.roll(mode, 1))
    load = random.uniform(0.85, 1.15, len(row))[stretch]
    power = load * [POWER[m] for m in mode] * random.normal(1, 0.03, len(row))
    vibration = load * [VIBRATION[m] for m in mode] * random.normal(1, 0.05, len(row))
    room = 19 + 3 * np.sin(2 * np.pi * (hour - 9) / 24)  # warmest at 15 o'clock
    final = room + HEATING * power
    temperature = np.array(list(accumulate(final, lambda now, to: to + INERTIA * (now - to))))
    if faulty:
        running = mode == "running"
        for rows in faults.place(4, 4, running):
            door[rows] = "open"
        for rows in faults.place(4, 4, running):
            mode[rows] = "service"
        for rows in faults.place(3, 5, running & (temperature > 40)):
            temperature[rows] = room[rows]
        for rows in faults.place(2, 16, mode != "off"):
            vibration[rows] *= np.linspace(1.05, 1.8, 16)
    temperature += random.normal(0, 0.3, len(row))

    columns = {"mode": mode, "door": door}
    columns |= {"temperature": temperature, "power": power, "vibration": vibration}
    for name, column in columns.items():
        # A missing cell must not hide what makes a row faulty.
        missing = (random.random(len(row)) < MISSING) & ~faults.marked
        text = [f"{v:.{DECIMALS[name]}f}" for v in column] if name in DECIMALS else column
        columns[name] = np.where(missing, "", text)
    minutes = np.timedelta64(60 // ROWS_PER_HOUR, "m")
    return {"time": np.datetime_as_string(start + row * minutes), **columns}, faults.marked


def timetable(days: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Mode and door (N,) of each row."""
    mode = np.full(days * ROWS_PER_DAY, "off", dtype="<U8")
    door = np.full(days * ROWS_PER_DAY, "closed")
    for day in range(days):
        if CLOSES[day % 7] == OPENS:
            continue
        opening, closing = (
            day * ROWS_PER_DAY + hour * ROWS_PER_HOUR for hour in (OPENS, CLOSES[day % 7])
        )
        cleaning = closing - random.integers(3, 6)
        mode[opening:cleaning] = "idle"
        step = opening + random.integers(2, 5)
        while step < cleaning:
            end = min(step + random.integers(6, 19), cleaning)
            mode[step:end] = "running"
            step = end + random.integers(1, 4)
        mode[cleaning:closing] = "cleaning"
        door[cleaning : closing + random.integers(0, 4)] = "open"
    return mode, door


class Faults:
    """The faulty rows of a table.

    Attributes:
        marked: Which they are (N,).
    """

    APART = 2 * ROWS_PER_HOUR

    def __init__(self, rows: int, random: np.random.Generator) -> None:
        self.marked = np.zeros(rows, dtype=bool)
        self._random = random

    def place(self, episodes: int, rows: int, suitable: np.ndarray) -> Iterator[slice]:
        """Mark episodes of some suitable rows (N,), well apart from all other faults."""
        for _ in range(episodes):
            near = np.convolve(self.marked, np.ones(2 * self.APART + 1), "same") > 0.5
            free = np.lib.stride_tricks.sliding_window_view(suitable & ~near, rows).all(axis=1)
            start = self._random.choice(np.flatnonzero(free))
            self.marked[start : start + rows] = True
            yield slice(start, start + rows)


def write(path: Path, columns: dict[str, np.ndarray]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
