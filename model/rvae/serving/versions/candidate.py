"""An archive that is to be served: whether it is sound, and whether a server answers as it does."""

from dataclasses import dataclass
from pathlib import Path

import orjson

from rvae.errors import FieldError, require
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.serving.golden import Golden, check_golden, compare_golden, make_golden
from rvae.serving.integrity import require_intact
from rvae.serving.model_store import Archive, read_archive
from rvae.serving.service import Limits, Service
from rvae.serving.versions.management import Management

__all__ = ["Candidate", "ask_golden", "candidate"]


@dataclass(frozen=True)
class Candidate:
    """An archive that loads, and answers as it did when it was packaged.

    Attributes:
        archive: The archive.
        card: Of its model.
        golden: A request, and what it has to answer.
        words: What was found.
    """

    archive: Archive
    card: Card
    golden: Golden
    words: str


def candidate(path: Path, name: str) -> Candidate:
    """Check an archive without a server.

    Raises:
        FieldError: If it is damaged, holds another model, does not load, or answers otherwise than
            when it was packaged.
    """
    archive = read_archive(path, "archive")
    message = f"{path.name} holds the model {archive.name}, not {name}"
    require(archive.name == name, "name", message)
    integrity = require_intact(path)
    artifact = Artifact.load(path)
    service = Service(Engine(artifact), name, archive.version, Limits())
    golden = Golden.read(path)
    if golden is None:
        golden = make_golden(service, artifact.card.runtime)
        answers = "it answers, by an earlier version without a golden request"
    else:
        check_golden(service, golden)
        answers = "it answers its golden request"
    words = f"{name} {archive.version}: {integrity.words}; {answers}"
    return Candidate(archive, artifact.card, golden, words)


def ask_golden(management: Management, archive: Archive, golden: Golden) -> str:
    """Let a server answer the golden request of an archive, and say that it did.

    Raises:
        FieldError: If it answers otherwise.
    """
    path = f"/predictions/{archive.name}/{archive.version}"
    headers = {"content-type": "application/json"}
    answer = management.predict(path, orjson.dumps(dict(golden.request)), headers)
    if not answer.ok:
        raise FieldError("golden", f"the server answers {answer.status_code}: {answer.text}")
    compare_golden(golden, answer.json())
    return f"the server answers as the archive, within {golden.tolerance:g}"
