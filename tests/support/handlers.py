"""Archives with another handler than that of the package."""

import json
from pathlib import Path

from tests.support.archives import edited

__all__ = ["UNLOADABLE", "with_handler"]

HANDLER = "rvae_handler.py"
UNLOADABLE = '''\
"""A handler that does not load. Who verifies its archive loads the model alone, and it is sound."""

from sound_handler import RvaeHandler


class UnloadableHandler(RvaeHandler):
    def initialize(self, context):
        raise RuntimeError("as it is made to")
'''


def with_handler(archive: Path, version: str, handler: str) -> Path:
    """Pack an archive anew, and sealed, beside it or in its place.

    Args:
        archive: The archive.
        version: Of the new one.
        handler: Source, which finds the handler that there was as `sound_handler`.
    """

    def edit(content: Path) -> None:
        manifest = content / "MAR-INF" / "MANIFEST.json"
        said = json.loads(manifest.read_text())
        said["model"]["modelVersion"] = version
        manifest.write_text(json.dumps(said))
        (content / HANDLER).rename(content / "sound_handler.py")
        (content / HANDLER).write_text(handler)

    name = archive.name.partition("-")[0]
    return edited(archive, archive.with_name(f"{name}-{version}.mar"), edit, sealed=True)
