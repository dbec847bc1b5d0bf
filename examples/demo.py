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

from rvae.evaluation.metrics import detection
from rvae.plots.series import plot_scored_series
from rvae.serving.torchserve import TorchServe, archives_in

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "demo"
LEADS = ("lead_1 (mV)", "lead_2 (mV)")
SHOWN = 4
AT_ONCE = 100


def run(*command: str | Path) -> None:
    print("\n$", *command, flush=True)
    subprocess.run(command, cwd=ROOT, check=True)


def ask(server: TorchServe, beats: np.ndarray, *output: str) -> list[dict[str, Any]]:
    """The predictions for some beats (S, T, C), in one request."""
    answer = requests.post(
        f"{server.inference}/predictions/rvae",
        json={"instances": beats.tolist(), "output": output},
        timeout=60,
    )
    answer.raise_for_status()
    return answer.json()["predictions"]


def main() -> None:
    rvae = Path(sys.executable).parent / "rvae"
    run(sys.executable, "examples/heartbeats.py", "demo")
    run(rvae, "fit", "--config", "configs/heartbeats.yaml")
    run("./archive.sh", "demo/run/model.ckpt")
    test = np.load(FOLDER / "test.npz")
    beats, ventricular = test["beats"], test["ventricular"]
    began = time.monotonic()
    archives = [
        a for a in archives_in(ROOT / "model_store") if (a.name, a.version) == ("rvae", "1.0")
    ]
    with TorchServe(archives, "127.0.0.1", 0, workers=1, logs=FOLDER / "logs") as server:
        server.wait_until_ready(120)
        print(f"\nTorchServe answers at {server.inference} after {time.monotonic() - began:.1f} s.")
        answers = [
            answer
            for first in range(0, len(beats), AT_ONCE)
            for answer in ask(server, beats[first : first + AT_ONCE], "score")
        ]
        chosen = [*np.flatnonzero(~ventricular)[:SHOWN], *np.flatnonzero(ventricular)[:SHOWN]]
        show(answers, ventricular, chosen)
        for kind, index in (("normal", chosen[0]), ("ventricular", chosen[-1])):
            (answer,) = ask(server, beats[index : index + 1], "reconstruction", "point_scores")
            figure = plot_scored_series(
                beats[index],
                np.array(answer["reconstruction"]),
                np.array(answer["point_scores"]),
                LEADS,
                f"A {kind} beat",
            )
            figure.savefig(FOLDER / f"{kind}.png")
    print(
        "Plots: demo/normal.png, demo/ventricular.png. The server is stopped; make serve starts it."
    )


def show(answers: list[dict[str, Any]], ventricular: np.ndarray, chosen: list[int]) -> None:
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
