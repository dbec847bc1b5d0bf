"""Figures → files."""

from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rvae.errors import require

__all__ = ["PICTURES", "require_picture", "save_axes"]

PICTURES = (".png", ".svg", ".pdf")
DOTS_PER_INCH = 110


def require_picture(path: Path, others: tuple[str, ...] = (), field: str = "output") -> None:
    """Raise a `FieldError` for a field unless a file has the suffix of a picture, or of others."""
    suffixes = (*PICTURES, *others)
    require(
        path.suffix in suffixes,
        field,
        f"must end in {', '.join(suffixes[:-1])} or {suffixes[-1]}, got {path}",
    )
    require(not path.is_dir(), field, f"is a folder: {path}")


def save_axes(axes: Axes, path: Path) -> None:
    """Write the figure of some axes to a file; the same figure makes the same bytes.

    Raises:
        FieldError: If the file has not the suffix of a picture.
    """
    require_picture(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    date = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[path.suffix]
    # Text of an SVG stays text.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "rvae"}):
        figure.savefig(path, dpi=DOTS_PER_INCH, metadata=date)
