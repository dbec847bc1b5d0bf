"""The command `rvae plot-latent`."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.command_line import rvae


def texts(path: Path) -> set[str]:
    tree = ElementTree.parse(path)
    return {text.text or "" for text in tree.iter("{http://www.w3.org/2000/svg}text")}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], {"score"}),
        (["--colour=label", "--label=labels"], {"normal", "anomalous"}),
        (["--method=tsne"], {"t-SNE 1", "score"}),
    ],
)
def test_windows_are_points(
    checkpoint: Path, labelled: Path, tmp_path: Path, options: list[str], words: set[str]
) -> None:
    command = ["plot-latent", checkpoint, labelled, "l.svg", "--array=signals", *options]
    done = rvae(*command, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "Drew 100 windows to l.svg\n"), done.stderr
    assert words <= texts(tmp_path / "l.svg")


def test_classes_colour_points_where_there_are_any(told_by_classes: Path, tmp_path: Path) -> None:
    model = told_by_classes / "model.ckpt"
    done = rvae("plot-latent", model, told_by_classes / "all.parquet", "l.svg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {"small", "large"} <= texts(tmp_path / "l.svg")
    done = rvae("plot-latent", model, told_by_classes / "bare.parquet", "m.svg", cwd=tmp_path)
    assert done.returncode == 1 and "size" in done.stderr


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--colour=class"], "colour: class: the training file had no classes"),
        (["--method=direct"], "method: direct is for at most 2 latent dimensions"),
        (["--colour=label"], "colour: label: labelled.npz has no labels"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    checkpoint: Path, labelled: Path, tmp_path: Path, options: list[str], error: str
) -> None:
    command = ["plot-latent", checkpoint, labelled, "l.png", "--array=signals", *options]
    done = rvae(*command, cwd=tmp_path)
    assert done.returncode == 1 and error in done.stderr
    assert list(tmp_path.iterdir()) == []
