"""Say how many workers of every model are ready; the exit status is 0 when none is missing."""

import json
import sys
from http.client import HTTPConnection, HTTPException
from typing import Any


def get(path: str) -> Any:
    # No urllib: it would ask a proxy that is set in the environment.
    connection = HTTPConnection("127.0.0.1", 8081, timeout=5)
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


def main() -> int:
    try:
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
    sys.exit(main())
