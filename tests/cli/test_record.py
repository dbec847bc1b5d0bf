"""The command `rvae record`."""

from contextlib import ExitStack
from pathlib import Path

from rvae.serving.versions.traffic import read_traffic
from tests.support.command_line import rvae
from tests.support.fake_management import fake_management

REQUEST = {"path": "/predictions/waves", "headers": {"content-type": "text/csv"}, "body": "YWJj"}


def test_live_requests_are_kept(short_folder: Path, tmp_path: Path) -> None:
    with fake_management(short_folder / "f", traffic=[REQUEST] * 3) as fake:
        command = ("record", "waves", "kept.jsonl", "--socket", fake.socket)
        done = rvae(*command, "--requests", 2, "--seconds", 7, cwd=tmp_path)
        assert done.stdout == "Wrote 2 requests to kept.jsonl\n"
        assert fake.asked[1:] == ["GET /models/waves/traffic?requests=2&seconds=7"]
    assert [one.body for one in read_traffic(tmp_path / "kept.jsonl")] == [b"abc"] * 2


def test_several_servers_give_a_part_each(short_folder: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        fakes = [
            stack.enter_context(
                fake_management(
                    short_folder / name,
                    at=short_folder / f"{name}.sock",
                    traffic=[{**REQUEST, "body": body}] * 3,
                )
            )
            for name, body in (("a", "YWJj"), ("b", "eHl6"))
        ]
        command = ("record", "waves", "kept.jsonl", "--socket", short_folder, "--requests", 3)
        assert rvae(*command, cwd=tmp_path).stdout == "Wrote 3 requests to kept.jsonl\n"
        assert [fake.asked[-1].count("requests=2") for fake in fakes] == [1, 1]
        kept = {one.body for one in read_traffic(tmp_path / "kept.jsonl")}
        assert kept == {b"abc", b"xyz"}
        fakes[1].answer = lambda method, target, body: (500, {"message": "no"})
        assert rvae(*command, cwd=tmp_path).returncode == 1


def test_without_requests_no_file_is_written(short_folder: Path, tmp_path: Path) -> None:
    with fake_management(short_folder / "f") as fake:
        command = ("record", "waves", "kept.jsonl", "--socket", fake.socket)
        done = rvae(*command, cwd=tmp_path)
        assert "requests: none of waves came within 60 s" in done.stderr
        done = rvae("record", "waves", "kept.csv", "--socket", fake.socket, cwd=tmp_path)
        assert "output: must end in .jsonl, got kept.csv" in done.stderr
    assert list(tmp_path.iterdir()) == []
