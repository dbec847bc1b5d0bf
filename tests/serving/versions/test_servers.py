"""Servers that have their sockets in one folder."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.versions.servers import Servers, apart, together
from tests.support.fake_management import FakeManagement, FakeVersion, fake_management


@pytest.fixture
def fakes(short_folder: Path) -> Iterator[dict[str, FakeManagement]]:
    """Two servers, of other defaults."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                fake_management(
                    short_folder / name,
                    at=short_folder / f"{name}.sock",
                    versions={"1.0": FakeVersion(""), "2.0": FakeVersion("")},
                    default=default,
                )
            )
            for name, default in (("a", "1.0"), ("b", "2.0"))
        }


def test_all_of_a_folder_are_found_by_name(
    fakes: dict[str, FakeManagement], short_folder: Path
) -> None:
    found = Servers(short_folder).found()
    assert [(one.name, one.state.models["waves"].default) for one in found] == [
        ("a", "1.0"),
        ("b", "2.0"),
    ]
    (one,) = Servers(fakes["b"].socket).found()
    assert one.name == "b" and one.management.model("waves") == one.state.models["waves"]
    assert Servers(short_folder).serving("waves") == (
        "a: waves is served by 1.0; b: waves is served by 2.0"
    )


def test_one_that_does_not_answer_is_told_with_what_to_do(
    fakes: dict[str, FakeManagement], short_folder: Path
) -> None:
    fakes["b"].end()
    servers = Servers(short_folder)
    said = r"socket: nobody answers at .*/b\.sock: start that server again, or remove the file if"
    with pytest.raises(FieldError, match=said):
        servers.found()
    there, silent = servers.asked()
    assert [one.name for one in there] == ["a"] and list(silent) == ["b"]
    assert servers.serving("waves").startswith("a: waves is served by 1.0; b: nobody answers")
    fakes["a"].end()
    with pytest.raises(FieldError, match=r"a\.sock: .*; nobody answers at .*/b\.sock"):
        servers.asked()


def test_one_that_ends_meanwhile_is_not_there(
    fakes: dict[str, FakeManagement], short_folder: Path
) -> None:
    def end_other(method: str, path: str) -> None:
        fakes["b"].end()
        fakes["b"].socket.unlink()

    fakes["a"].on = end_other
    assert [one.name for one in Servers(short_folder).found()] == ["a"]


def test_that_all_have_ended_meanwhile_is_said(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = [short_folder / "a.sock"]
    monkeypatch.setattr("rvae.serving.versions.servers.sockets_at", lambda path: gone)
    with pytest.raises(FieldError, match=r"socket: every server in .* has just ended"):
        Servers(short_folder).asked()


def test_words_are_said_once_where_they_agree() -> None:
    assert together({"a": "ready"}) == "ready"
    assert together({"b": "ready", "a": "ready"}) == "2 servers: ready"
    assert together({"c": "ready", "a": "not", "b": "ready"}) == "a: not; b, c: ready"
    assert apart({"b": "ready", "a": "ready"}) == "a, b: ready"
    assert together({}) == apart({}) == ""
