"""The configurations that come along, trained briefly on what their headers say."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rvae.inference.artifact import Artifact
from tests.support.command_line import rvae
from tests.support.paths import ROOT
from tests.support.waves import anomalous_waves, waves

# Epochs, and an explained variance that no model reaches which does not learn.
BRIEF = {
    "conditional_digits": (15, 0.4),
    "detection": (2, 0.9),
    "digits": (15, 0.25),
    "ecg5000": (15, 0.2),
    "heartbeats": (16, 0.05),
    "machine": (3, 0.5),
    "patterns": (7, 0.25),
    "vrae": (8, 0.15),
}


def header(name: str) -> str:
    text = (ROOT / "configs" / f"{name}.yaml").read_text()
    return "".join(line.removeprefix("#") for line in text.splitlines(True) if line[0] == "#")


def commands(name: str) -> list[list[str]]:
    lines = [line.strip() for line in header(name).splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(("rvae ", "python "))]


def test_every_configuration_is_trained_here() -> None:
    assert {path.stem for path in (ROOT / "configs").glob("*.yaml")} == set(BRIEF)


@pytest.mark.parametrize("name", BRIEF)
def test_the_header_says_what_to_type_and_to_expect(name: str) -> None:
    assert ["rvae", "fit", "--config", f"configs/{name}.yaml"] in commands(name)
    assert re.search(r"\d+ %|0\.\d+", header(name)), "no figure"


def write_archive(path: Path, seed: int) -> None:
    """Waves in the form of the UCR archive, every other one with a bump and of class 2."""
    cases = np.stack([waves(150, 140, seed=seed), anomalous_waves(150, 140, seed=seed)], axis=1)
    rows = np.insert(cases.reshape(300, 140), 0, np.tile([1, 2], 150), axis=1)
    np.savetxt(path, rows, "%.4f", "\t")


@pytest.mark.slow
@pytest.mark.parametrize("name", BRIEF)
def test_it_learns(name: str, tmp_path: Path) -> None:
    """All commands of the header, one after another, with fewer epochs."""
    epochs, floor = BRIEF[name]
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "demo").mkdir()
    if name == "ecg5000":  # which everyone has to fetch for himself
        for seed, part in enumerate(("TRAIN", "TEST")):
            write_archive(tmp_path / "demo" / f"ECG5000_{part}.tsv", seed)
    for program, *arguments in commands(name):
        more = [f"--training.epochs={epochs}", "--training.accelerator=cpu"]
        if program == "python":
            command = [sys.executable, *arguments]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        else:
            done = rvae(*arguments, *(more if arguments[0] == "fit" else []), cwd=tmp_path)
        fetched = any(example in " ".join(arguments) for example in ("heartbeats", "pressure"))
        if fetched and "pip" in done.stderr and done.returncode:
            pytest.skip("the package with the data cannot be fetched")
        assert done.returncode == 0, done.stderr
    (checkpoint,) = tmp_path.rglob("model.ckpt")
    card = Artifact.load(checkpoint).card
    assert sum(card.training["kl"]) > 0.5  # a latent that decoders ignore says nothing
    assert card.training["explained_variance"] > floor


@pytest.mark.slow
def test_the_recipe_for_detection_takes_whatever_table_comes(tmp_path: Path) -> None:
    path = tmp_path / "machine.csv"
    np.savetxt(
        path, waves(60, 40, channels=2).reshape(-1, 2), delimiter=",", header="a,b", comments=""
    )
    arguments = ["--config", ROOT / "configs" / "detection.yaml", "--data.path", path]
    options = ["--output", tmp_path / "run", "--training.epochs=1", "--training.accelerator=cpu"]
    done = rvae("fit", *arguments, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Artifact.load(tmp_path / "run" / "model.ckpt").card.channels == ("a", "b")
