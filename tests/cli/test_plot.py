"""The command `rvae plot`."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.command_line import rvae


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two series with times, the second one with a bump."""
    path = tmp_path_factory.mktemp("plot") / "machine.csv"
    values = np.tile(20 + 3 * np.sin(np.arange(128) * 2 * np.pi / 32), (2, 1))
    values[1, 60:66] = 40 - values[1, 60:66]
    times = np.datetime_as_string(np.datetime64("2026-03-01T00:00") + np.arange(128))
    rows = (
        f"{name},{time},{value:.4f}"
        for name, one in zip("ab", values, strict=True)
        for time, value in zip(times, one, strict=True)
    )
    path.write_text("\n".join(["machine,time,height", *rows, ""]))
    return path


@pytest.fixture(scope="module")
def timed(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of waves, which reads series and times by name."""
    import torch

    content = torch.load(checkpoint, weights_only=True)
    content["rvae"]["reader"] |= {"series": "machine", "time": "time"}
    path = tmp_path_factory.mktemp("model") / "timed.ckpt"
    torch.save(content, path)
    return path


@pytest.mark.parametrize("name", ["out.png", "out.svg", "out.pdf", "out.html"])
def test_plot_draws_a_series(timed: Path, machine: Path, tmp_path: Path, name: str) -> None:
    done = rvae("plot", timed, machine, name, "--series", "b", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Drew series b with 1 event to {name}\n"
    if name.endswith(("svg", "html")):
        page = (tmp_path / name).read_text()
        assert "height" in page and "threshold" in page and "2026" in page
    assert (tmp_path / name).stat().st_size > 3000


def test_the_first_series_is_drawn_and_a_part_of_it(
    timed: Path, machine: Path, tmp_path: Path
) -> None:
    options = ["--start", "2026-03-01T00:30", "--end", "100", "--channels=[height]"]
    done = rvae("plot", timed, machine, "a.svg", *options, cwd=tmp_path)
    assert done.stdout == "Drew series a with 0 events to a.svg\n", done.stderr
    whole = rvae("plot", timed, machine, "b.svg", cwd=tmp_path)
    assert whole.returncode == 0
    sizes = [len((tmp_path / name).read_bytes()) for name in ("a.svg", "b.svg")]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["x.gif"], "output: must end in .png, .svg, .pdf or .html, got x.gif"),
        (["x.png", "--series", "c"], "series: 'c' is not in the data, which has a, b"),
        (["x.png", "--channels=[heat]"], "channels: 'heat' is none of height"),
        (["x.png", "--start", "soon"], "start: must be the number of a step or a time"),
        (["x.png", "--quantile", "2"], "quantile: must be above 0"),
        (["x.png", "--alarms", "weekly"], "alarms: is 'weekly', expected a rate as"),
        (["x.png", "--alarms", "1 per 64 steps", "--quantile", "0.5"], "alarms: cannot be comb"),
    ],
)
def test_options_that_make_no_sense_are_said(
    timed: Path, machine: Path, tmp_path: Path, options: list[str], error: str
) -> None:
    done = rvae("plot", timed, machine, *options, cwd=tmp_path)
    assert done.returncode == 1 and error in done.stderr
    assert list(tmp_path.iterdir()) == []
