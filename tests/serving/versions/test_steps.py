"""Steps are said, timed, and undone."""

import os
import re
import signal
from functools import partial
from typing import NamedTuple

import pytest

from rvae.errors import FieldError
from rvae.serving.versions.steps import Steps, interruptible, whole


class Said:
    """What steps have written."""

    def __init__(self) -> None:
        self.text = ""
        self.steps = Steps(self.write)

    def write(self, text: str) -> None:
        self.text += text

    @property
    def lines(self) -> list[str]:
        """Lines without their times."""
        return re.sub(r" \(\d+\.\d s\)$", "", self.text, flags=re.M).splitlines()


class Found(NamedTuple):
    words: str


@pytest.fixture
def said() -> Said:
    return Said()


def fail() -> str:
    raise FieldError("ready", "it does not load")


def interrupt() -> str:
    raise KeyboardInterrupt


def test_each_step_is_a_line_with_its_time(said: Said) -> None:
    said.steps.run("copy", lambda: "one file")
    assert said.steps.find("verify", lambda: Found("it is sound")).words == "it is sound"
    assert re.fullmatch(
        r"copy +one file \(\d+\.\d s\)\nverify +it is sound \(\d+\.\d s\)\n", said.text
    )


def test_a_step_that_fails_says_why(said: Said) -> None:
    with pytest.raises(FieldError):
        said.steps.run("ready", fail)
    with pytest.raises(KeyboardInterrupt):
        said.steps.run("watch", interrupt)
    assert said.lines == ["ready     failed: it does not load", "watch     interrupted"]


@pytest.mark.parametrize(("failing", "error"), [(fail, FieldError), (interrupt, KeyboardInterrupt)])
def test_steps_are_undone_the_last_one_first(
    said: Said, failing: object, error: type[BaseException]
) -> None:
    assert callable(failing)
    done: list[str] = []

    def undo(name: str) -> str:
        done.append(name)
        return f"{name} undone"

    with pytest.raises(error), said.steps.undone_on_failure():
        for name in ("first", "second"):
            said.steps.undo_by(partial(undo, name))
            said.steps.run(name, lambda: "done")
        said.steps.undo_by(lambda: "")  # nothing was to do
        said.steps.run("third", failing)
    assert done == ["second", "first"]
    assert said.lines[-2:] == ["undo      second undone", "undo      first undone"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FieldError("ready", "it does not load"), "ready: it does not load"),
        (LookupError("a bug"), "a bug"),
    ],
)
def test_what_cannot_be_undone_does_not_keep_the_rest_from_it(
    said: Said, error: Exception, words: str
) -> None:
    def refuse() -> str:
        raise error

    with pytest.raises(FieldError, match="does not load"), said.steps.undone_on_failure():
        said.steps.undo_by(lambda: "first undone")
        said.steps.undo_by(refuse)
        said.steps.run("third", fail)
    assert said.lines[-2:] == [f"undo      not undone: {words}", "undo      first undone"]


def test_what_succeeds_is_not_undone(said: Said) -> None:
    with said.steps.undone_on_failure():
        said.steps.undo_by(fail)
        said.steps.run("first", lambda: "done")
    with pytest.raises(FieldError), said.steps.undone_on_failure():
        said.steps.run("later", fail)
    assert not any(line.startswith("undo") for line in said.lines)


def test_nothing_interrupts_the_undoing(said: Said) -> None:
    def interrupted() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        return "undone"

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(FieldError), said.steps.undone_on_failure():
        said.steps.undo_by(interrupted)
        said.steps.run("first", fail)
    assert said.lines[-1] == "undo      undone"
    assert signal.getsignal(signal.SIGINT) is before


def test_sigterm_is_an_interruption() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), interruptible():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_must_be_whole_is_interrupted_at_its_end() -> None:
    done, before = [], signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), whole():
        os.kill(os.getpid(), signal.SIGINT)
        done.append("all of it")
    assert done and signal.getsignal(signal.SIGINT) is before
    with whole():
        pass  # nothing came
