"""The command `rvae torchserve-config`: a model store for TorchServe's own command."""

import sys
from pathlib import Path

__all__ = ["torchserve_config"]


def torchserve_config(
    store: Path = Path("model_store"), logs: Path = Path("logs"), workers: int | None = None
) -> None:
    """Let TorchServe's own command serve what `rvae serve` would.

    Writes a configuration with the same versions, defaults and numbers of workers, and without
    archives that cannot be read, where TorchServe looks for it: LOGS/config. Prints the command
    that takes it from there.

    Args:
        store: Folder with archives.
        logs: Folder for logs, of `rvae serve` and of TorchServe.
        workers: Processes per model version; if left out as many as before, and one of a new one.
    """
    import importlib.resources
    import shlex

    from rvae.errors import require
    from rvae.serving.torchserve.start import read_lineup
    from rvae.serving.torchserve.state_file import StateFile

    folder = logs / "config"
    lineup, notes = read_lineup(store, folder)
    for note in notes:
        print(note, file=sys.stderr)
    counts = [1 if number is None else number for number in lineup.workers(workers)]
    state = StateFile(lineup.state(counts, workers), store, folder)
    state.save()
    require(state.trouble is None, "logs", str(state.trouble))
    for one in state.registrations:
        default = " (default)" if one.default else ""
        print(f"{one}{default}: workers {one.min_workers}")
    log4j = importlib.resources.files("rvae_torchserve") / "log4j2.xml"
    command = ["torchserve", "--start", "--model-store", str(store), "--log-config", str(log4j)]
    place = "" if logs == Path("logs") else f"LOG_LOCATION={shlex.quote(str(logs))} "
    print(f"\n  {place}{shlex.join(command)}")
