"""What TorchServe needs of a machine, checked one by one."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress

import psutil

from rvae.cli.checks import Check, failed, passed
from rvae.errors import FieldError
from rvae.serving.ports import LOOPBACK, require_free
from rvae.serving.torchserve import java_command, require_short

__all__ = ["check_ports", "check_serving"]

MIN_JAVA = 17


def check_serving() -> Iterator[Check]:
    """Check Java and the paths of sockets."""
    yield _java()
    yield _sockets()


def check_ports(host: str, port: int) -> Iterator[Check]:
    """Check the ports of a server that is to be started."""
    yield _port(host, port)
    yield _port(LOOPBACK, port + 1)


def _java() -> Check:
    java = java_command()
    advice = "unset JAVA_HOME, to take the Java from pip"
    command = [str(java), "-XshowSettings:properties", "-version"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    except OSError as error:
        return failed("Java", f"{java} does not run: {error.strerror}", advice)
    lines = (line.strip().partition(" = ") for line in done.stderr.splitlines())
    settings = {name: value for name, _, value in lines}
    version = settings.get("java.specification.version", "")
    if done.returncode != 0 or not version:
        return failed("Java", f"{java} does not run", advice)
    # Before 9, versions were called 1.8.
    if float(version) < MIN_JAVA:
        return failed("Java", f"{java} is {version}, TorchServe needs {MIN_JAVA}", advice)
    return passed("Java", f"{settings['java.version']} ({java})")


def _port(host: str, port: int) -> Check:
    name = f"port {port}"
    try:
        require_free(host, port)
    except FieldError as error:
        if error.field == "host":
            return failed(name, error.message, "give another --host")
        advice = "stop it, or choose others with rvae serve --port"
        return failed(name, f"{error.message}{_owner(port)}", advice)
    return passed(name, f"free on {host}")


def _owner(port: int) -> str:
    """The process that listens on a port, as far as this user may know."""
    for connection in psutil.net_connections("inet"):
        if connection.status == "LISTEN" and connection.laddr.port == port and connection.pid:
            with suppress(psutil.Error):
                return f", by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""


def _sockets() -> Check:
    name, folder = "sockets", tempfile.gettempdir()
    try:
        require_short(folder)
    except FieldError as error:
        return failed(name, error.message, "set TMPDIR to a shorter path")
    return passed(name, f"their paths fit into {folder}")
