"""Archives of a few lines, whose workers start in no time."""

import json
import zipfile
from pathlib import Path

__all__ = ["ECHO", "toy_archive"]

# Answers with the version and the number of its process; gives a sign of life.
ECHO = """
import json, os, pathlib
from rvae.serving.heartbeat import Heartbeat

class Echo:
    def initialize(self, context):
        self.heartbeat = Heartbeat(pathlib.Path(os.environ["RVAE_HEARTBEATS"]))
        self.version = context.manifest["model"]["modelVersion"]

    def handle(self, data, context):
        if context.get_request_header(0, "describe") == "True":
            return [json.dumps({"example": {}})]
        return [json.dumps({"version": self.version, "pid": os.getpid()})] * len(data)
"""


def toy_archive(store: Path, version: str, handler: str = ECHO, name: str = "toy") -> Path:
    """Write an archive into a model store.

    Args:
        store: Folder of the archive.
        version: Of the model.
        handler: Python, with one class.
        name: Of the model.
    """
    store.mkdir(exist_ok=True)
    model = {"modelName": name, "modelVersion": version, "handler": "toy_handler.py"}
    path = store / f"{name}-{version}.mar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy_handler.py", handler)
        archive.writestr(
            "MAR-INF/MANIFEST.json",
            json.dumps({"archiverVersion": "0.12.0", "runtime": "python", "model": model}),
        )
    return path
