"""What fetches archives before a server starts in Kubernetes."""

import hashlib
import importlib.util
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.manifests import KUBERNETES

CONTENT = b"archive" * 1000
SUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def fetching(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = KUBERNETES / "components" / "fetch" / "fetch.py"
    spec = importlib.util.spec_from_file_location("fetch", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PAUSE", 0.0)
    monkeypatch.delenv("AUTHORIZATION", raising=False)
    return module


class Store(ThreadingHTTPServer):
    """A server of archives that fails as often as it is told."""

    failures = 0
    asked: list[tuple[str, str | None]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Store

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        if self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/moved"))
            self.end_headers()
            return
        if self.server.failures:
            self.server.failures -= 1
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def archives() -> Iterator[Store]:
    with Store(("127.0.0.1", 0), Answers) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def listed(folder: Path, *lines: str) -> str:
    path = folder / "archives.txt"
    path.write_text("\n".join(lines))
    return str(path)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def test_archives_of_the_list_are_in_the_folder(
    fetching: ModuleType, archives: Store, tmp_path: Path, models: Path
) -> None:
    lines = [f"{SUM}  {archives.url}/a/m-{version}.mar?x=1" for version in ("1.0", "2.0")]
    path = listed(tmp_path, "# two versions", "", lines[0], lines[1] + " # new")
    assert fetching.main(path, str(models)) == 0
    assert {one.name: one.read_bytes() for one in models.iterdir()} == {
        "m-1.0.mar": CONTENT,
        "m-2.0.mar": CONTENT,
    }


def test_what_is_there_is_not_fetched_again(
    fetching: ModuleType, archives: Store, tmp_path: Path, models: Path
) -> None:
    path = listed(tmp_path, f"{SUM}  {archives.url}/m-1.0.mar")
    (models / "m-1.0.mar").write_bytes(CONTENT[:-1])  # of a container that was ended
    for _ in range(2):
        assert fetching.main(path, str(models)) == 0
    assert len(archives.asked) == 1
    assert (models / "m-1.0.mar").read_bytes() == CONTENT


def test_an_archive_with_another_checksum_is_refused(
    fetching: ModuleType,
    archives: Store,
    tmp_path: Path,
    models: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = listed(tmp_path, f"{'0' * 64}  {archives.url}/m-1.0.mar")
    assert fetching.main(path, str(models)) == 1
    assert f"has the checksum {SUM}, not {'0' * 64}" in capsys.readouterr().err
    assert not list(models.iterdir())
    assert len(archives.asked) == 1  # it would be the same again


def test_a_store_that_fails_is_asked_again(
    fetching: ModuleType, archives: Store, tmp_path: Path, models: Path
) -> None:
    path = listed(tmp_path, f"{SUM}  {archives.url}/m-1.0.mar")
    archives.failures = 3
    assert fetching.main(path, str(models)) == 0
    (models / "m-1.0.mar").unlink()
    archives.failures = 4
    assert fetching.main(path, str(models)) == 1
    assert not list(models.iterdir())


def test_the_password_is_for_the_store_alone(
    fetching: ModuleType,
    archives: Store,
    tmp_path: Path,
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUTHORIZATION", "Bearer secret")
    path = listed(tmp_path, f"{SUM}  {archives.url}/moved/m-1.0.mar")
    assert fetching.main(path, str(models)) == 0
    assert archives.asked == [("/moved/m-1.0.mar", "Bearer secret"), ("/m-1.0.mar", None)]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "names no archive"),
        (["https://here/m-1.0.mar"], "line 1 must be"),
        ([f"{SUM[1:]}  https://here/m-1.0.mar"], "line 1 must be"),
        ([f"{SUM}  file:///etc/m-1.0.mar"], "line 1 must be"),
        ([f"{SUM}  https://here/m-1.0.zip"], "line 1 must be"),
        ([f"{SUM}  https://here/m-1.0.mar twice"], "line 1 must be"),
        ([f"{SUM}  https://here/a/m-1.0.mar", f"{SUM}  https://here/b/m-1.0.mar"], "again"),
        ([f"{SUM}  https://here/..%2fm-1.0.mar"], None),
    ],
)
def test_a_list_that_is_wrong_is_named(
    fetching: ModuleType, tmp_path: Path, lines: list[str], words: str | None
) -> None:
    path = Path(listed(tmp_path, *lines))
    if words is None:  # no way out of the folder
        assert [one.name for one in fetching.read_list(path)] == ["m-1.0.mar"]
        return
    with pytest.raises(ValueError, match=words):
        fetching.read_list(path)


def test_the_example_of_a_list_can_be_read(fetching: ModuleType) -> None:
    assert fetching.read_list(KUBERNETES / "sites" / "fetch" / "archives.txt")
