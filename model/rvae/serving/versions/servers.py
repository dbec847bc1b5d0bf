"""The servers that a command is for: one, or all that have their sockets in one folder."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rvae.errors import FieldError, require
from rvae.serving.management_sockets import sockets_at
from rvae.serving.versions.management import PATIENCE_SECONDS, Management
from rvae.serving.versions.served import ServerState

__all__ = ["Server", "Servers", "apart", "defaults_of", "together"]


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        name: Of its socket, which tells it from the others.
        management: Speaks with it.
        state: What it said of itself when it was asked.
    """

    name: str
    management: Management
    state: ServerState


class Servers:
    """The servers that a command is for, which may come and go.

    Args:
        path: A management socket, or a folder of sockets.
        patience: See `Management`.
    """

    def __init__(self, path: Path, patience: float = PATIENCE_SECONDS) -> None:
        self._path = path
        self._patience = patience

    def found(self) -> list[Server]:
        """Those that are there now, by name.

        Raises:
            FieldError: If there is none, or one does not answer.
        """
        servers, silent = self.asked()
        if silent:
            raise FieldError("socket", "; ".join(silent.values()))
        return servers

    def asked(self) -> tuple[list[Server], dict[str, str]]:
        """Those that answer now, and by the names of the others why they do not.

        Raises:
            FieldError: If there is no socket, or nobody answers.
        """
        servers, silent = [], {}
        for socket in sockets_at(self._path):
            management = Management(socket, self._patience)
            try:
                servers.append(Server(socket.stem, management, management.server()))
            except FieldError as error:
                if socket.exists() or not self._path.is_dir():  # or it has ended in this moment
                    silent[socket.stem] = error.message
        said = "; ".join(silent.values()) or f"every server in {self._path} has just ended"
        require(bool(servers), "socket", said)
        return servers, silent

    def serving(self, name: str) -> str:
        """By which versions a model is served now, in words."""
        servers, silent = self.asked()
        return together(silent | defaults_of(servers, name))


def defaults_of(servers: Iterable[Server], name: str) -> dict[str, str]:
    """By which version a model is served, in words, by the name of the server."""
    said = {}
    for server in servers:
        model = server.state.models.get(name)
        words = "not served" if model is None else f"served by {model.default}"
        said[server.name] = f"{name} is {words}"
    return said


def together(said: Mapping[str, str]) -> str:
    """What servers said, by their names: as it is of one, and once where all agree."""
    if len(set(said.values())) > 1:
        return apart(said)
    count = f"{len(said)} servers: " if len(said) > 1 else ""
    return count + "".join(set(said.values()))


def apart(said: Mapping[str, str]) -> str:
    """What servers said, with their names."""
    groups: dict[str, list[str]] = {}
    for name in sorted(said):
        groups.setdefault(said[name], []).append(name)
    return "; ".join(f"{', '.join(names)}: {words}" for words, names in groups.items())
