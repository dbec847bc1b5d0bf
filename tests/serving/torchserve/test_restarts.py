"""The changed pauses in a real TorchServe, whose worker dies while it loads."""

from itertools import pairwise
from pathlib import Path

from rvae.serving.model_store import list_archives
from rvae.serving.torchserve import TorchServe, fresh_state
from tests.support.toy_archive import toy_archive
from tests.support.waiting import wait_for

DEATHS = 7
# Notes when it begins, and when it ends.
MORTAL = """
import os, time

class Mortal:
    def initialize(self, context):
        with open("NOTES", "a") as notes:
            notes.write(f"{time.monotonic()}\\n")
        os._exit(1)

    def handle(self, data, context):
        return ["{}"] * len(data)
"""


def test_a_worker_that_dies_again_and_again_is_started_as_often(tmp_path: Path) -> None:
    """TorchServe's own pauses are 1, 1, 2, 3, 5 and 8 seconds."""
    notes = tmp_path / "notes"
    toy_archive(tmp_path / "store", "1.0", MORTAL.replace("NOTES", str(notes)))
    store = tmp_path / "store"
    with TorchServe(store, fresh_state(list_archives(store), 1).registrations, tmp_path / "logs"):
        wait_for(lambda: notes.exists() and len(notes.read_text().splitlines()) >= DEATHS)
    times = [float(line) for line in notes.read_text().splitlines()[:DEATHS]]
    pauses = [after - before for before, after in pairwise(times)]
    # As its starts take the same time each, the last pause is no longer than the second one, but
    # for what else the machine does.
    assert pauses[-1] < pauses[1] + 4
