"""Say how many workers of every model are ready; the exit status is 0 when none is missing.

With a path, say what management answers to that instead.
"""

import json
import socket
import sys
from http.client import HTTPConnection, HTTPException
from typing import Any

MANAGEMENT = "/logs/management.sock"


class Connection(HTTPConnection):
    """To management, which has no port."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(MANAGEMENT)


def get(path: str) -> Any:
    connection = Connection("localhost", timeout=5)
    connection.request("GET", path)
    return json.load(connection.getresponse())


def names() -> list[str]:
    found: list[str] = []
    page: str | None = ""
    while page is not None:
        answer = get(f"/models?next_page_token={page}" if page else "/models")
        found += [model["modelName"] for model in answer["models"]]
        page = answer.get("nextPageToken")
    return found


def main(path: str = "") -> int:
    try:
        if path:
            print(json.dumps(get(path), indent=1))
            return 0
        versions = [version for name in names() for version in get(f"/models/{name}/all")]
    except (OSError, HTTPException, ValueError, KeyError) as error:
        print(f"not answering: {error!r}")
        return 1
    missing = not versions
    for version in versions:
        states = [worker["status"] for worker in version["workers"]]
        ready, wanted = states.count("READY"), max(len(states), version["minWorkers"])
        print(
            f"{version['modelName']} {version['modelVersion']}: {ready} of {wanted} workers ready"
        )
        missing |= ready < wanted
    return int(missing)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
