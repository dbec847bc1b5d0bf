"""From real heartbeats to answers over HTTP: `make demo` runs this.

Train, package and serve as a user would, post every test beat, show what came back, stop.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import requests
from rich.console import Console
from rich.table import Table

from rvae.evaluation.detection import detection
from rvae.plots.saving import save_axes
from rvae.plots.scored_series import ScoredSeries
from rvae.plots.series import plot_scored_series
from rvae.plots.windows import plot_scored_windows
from rvae.serving.model_store import list_archives
from rvae.serving.torchserve import Endpoint, fresh_state

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "demo"
LEADS = ("lead 1 (mV)", "lead 2 (mV)")
SHOWN = 4  # beats of each kind in the table
PICTURED = 8  # beats in the picture, of which one is ventricular
BEATS_PER_REQUEST = 100


def run(*command: str | Path) -> None:
    print("\n$", *command, flush=True)
    subprocess.run(command, cwd=ROOT, check=True)


def predict(server: Endpoint, beats: np.ndarray, *output: str) -> list[dict[str, Any]]:
    """Predictions for beats (S, T, C), in one request."""
    answer = requests.post(
        f"{server.url}/predictions/rvae",
        json={"instances": beats.tolist(), "output": output},
        timeout=60,
    )
    answer.raise_for_status()
    return answer.json()["predictions"]


def main() -> None:
    rvae = Path(sys.executable).parent / "rvae"
    run(sys.executable, "examples/heartbeats.py", "demo")
    run(rvae, "fit", "--config", "configs/heartbeats.yaml")
    run("./archive.sh", "demo/run/model.ckpt", "--force")
    test = np.load(FOLDER / "test.npz")
    beats, ventricular = test["beats"], test["ventricular"]
    began = time.monotonic()
    archives = [
        a for a in list_archives(ROOT / "model_store") if (a.name, a.version) == ("rvae", "1.0")
    ]
    with Endpoint(fresh_state(archives, workers=1), logs=FOLDER / "logs") as server:
        server.start()
        print(f"\nThe server answers at {server.url} after {time.monotonic() - began:.1f} s.")
        answers = [
            answer
            for first in range(0, len(beats), BEATS_PER_REQUEST)
            for answer in predict(server, beats[first : first + BEATS_PER_REQUEST], "score")
        ]
        chosen = [*np.flatnonzero(~ventricular)[:SHOWN], *np.flatnonzero(ventricular)[:SHOWN]]
        print_answers(answers, ventricular, chosen)
        for kind, index in (("normal", chosen[0]), ("ventricular", chosen[-1])):
            (answer,) = predict(server, beats[index : index + 1], "band", "point_scores")
            beat = ScoredSeries(
                values=beats[index],
                reconstruction=np.array(answer["expected"]),
                scores=np.array(answer["point_scores"]),
                channels=LEADS,
                lower=np.array(answer["lower"]),
                upper=np.array(answer["upper"]),
                name=f"A {kind} beat",
            )
            save_axes(plot_scored_series(beat)[0], FOLDER / f"{kind}.png")
        pictured = predict(server, beats[:PICTURED], "score", "reconstruction")
        draw(beats[:PICTURED], pictured, FOLDER / "anomaly.svg")
    print(
        "Plots: demo/anomaly.svg, demo/normal.png, demo/ventricular.png. The server is stopped; "
        "make serve starts it."
    )


def draw(beats: np.ndarray, answers: list[dict[str, Any]], path: Path) -> None:
    """Write a picture of beats (S, T, C) in a row with what was answered for each, as SVG."""
    axes = plot_scored_windows(
        beats,
        np.array([answer["reconstruction"] for answer in answers]),
        np.array([answer["score"][0] for answer in answers]),
        answers[0]["threshold"],
        LEADS,
        "test beat",
    )
    save_axes(axes[0], path)


def print_answers(
    answers: list[dict[str, Any]], ventricular: np.ndarray, chosen: list[int]
) -> None:
    """Print some answers, and how well all of them agree with the cardiologist."""
    table = Table("beat", "cardiologist", "score", "threshold", "tail probability", "flagged")
    for index in chosen:
        answer = answers[index]
        table.add_row(
            str(index),
            "ventricular" if ventricular[index] else "normal",
            f"{answer['score'][0]:.2f}",
            f"{answer['threshold']:.2f}",
            f"{answer['tail_probability'][0]:.4f}",
            "anomaly" if answer["is_anomaly"][0] else "",
        )
    Console().print(table)
    found = detection(
        ventricular,
        np.array([answer["score"][0] for answer in answers]),
        np.array([answer["is_anomaly"][0] for answer in answers]),
    )
    print(
        f"All {len(answers)} test beats over HTTP: AUROC {found.auroc:.4f}, found "
        f"{found.recall:.1%} of {ventricular.sum()} ventricular beats with "
        f"{found.false_alarm_rate:.1%} false alarms among {(~ventricular).sum()} normal ones."
    )


if __name__ == "__main__":
    main()
