import subprocess
import sys
from pathlib import Path

import pytest

from rvae.serving.tickets import TicketReader, Tickets


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tickets"


def test_a_ticket_is_live_until_it_is_withdrawn(path: Path) -> None:
    tickets = Tickets(path, 3)
    reader = TicketReader(path)
    first, second = tickets.issue(), tickets.issue()
    assert first != second
    assert reader.is_live(first) and reader.is_live(second)
    tickets.withdraw(first)
    assert not reader.is_live(first) and reader.is_live(second)


def test_a_slot_is_used_again_under_another_ticket(path: Path) -> None:
    tickets = Tickets(path, 1)
    reader = TicketReader(path)
    seen: set[str] = set()
    for _ in range(100):
        ticket = tickets.issue()
        assert reader.is_live(ticket)
        assert not any(reader.is_live(old) for old in seen)
        seen.add(ticket)
        tickets.withdraw(ticket)
    assert len(seen) == 100
    assert not any(reader.is_live(old) for old in seen)


def test_there_are_as_many_tickets_as_slots(path: Path) -> None:
    tickets = Tickets(path, 2)
    first = tickets.issue()
    tickets.issue()
    with pytest.raises(LookupError, match="all 2 tickets are taken"):
        tickets.issue()
    tickets.withdraw(first)
    tickets.withdraw(first)  # the slot is free once, not twice
    tickets.issue()
    with pytest.raises(LookupError):
        tickets.issue()


def test_an_old_ticket_does_not_end_the_next_one_of_its_slot(path: Path) -> None:
    tickets = Tickets(path, 1)
    old = tickets.issue()
    tickets.withdraw(old)
    new = tickets.issue()
    tickets.withdraw(old)
    assert TicketReader(path).is_live(new)


@pytest.mark.parametrize(
    "ticket",
    [
        *("", "-", "0", "0-", "-1", "0-0", "1-0", "9-1", "0--1", "-0-1", "0-1-1", "a-b", "0x0-1"),
        *("99999999999999999999-1", "0-" + "9" * 5000, "\ud800-1"),
    ],
)
def test_what_is_no_ticket_is_not_live(path: Path, ticket: str) -> None:
    tickets = Tickets(path, 2)
    assert tickets.issue() == "1-1"
    assert not TicketReader(path).is_live(ticket)
    tickets.withdraw(ticket)
    assert TicketReader(path).is_live("1-1")


def test_another_process_sees_what_happens(path: Path) -> None:
    tickets = Tickets(path, 1000)
    program = (
        "import sys; from pathlib import Path; from rvae.serving.tickets import TicketReader\n"
        "reader = TicketReader(Path(sys.argv[1]))\n"
        "for line in sys.stdin: print(int(reader.is_live(line.strip())), flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin is not None and other.stdout is not None

        def seen(ticket: str) -> str:
            assert other.stdin is not None and other.stdout is not None
            print(ticket, file=other.stdin, flush=True)
            return other.stdout.readline().strip()

        assert seen("5-1") == "0"
        ticket = tickets.issue()
        assert seen(ticket) == "1"
        tickets.withdraw(ticket)
        assert seen(ticket) == "0"
        again = tickets.issue()
        assert (seen(ticket), seen(again)) == ("0", "1")
        path.unlink()  # what is open stays
        assert seen(again) == "1"
        tickets.withdraw(again)
        assert seen(again) == "0"
        other.stdin.close()
    assert other.returncode == 0


def test_a_new_file_leaves_the_readers_of_the_old_one_alone(path: Path) -> None:
    old = Tickets(path, 4)
    reader = TicketReader(path)
    ticket = old.issue()
    Tickets(path, 1)
    assert reader.is_live(ticket)
    assert not TicketReader(path).is_live(ticket)
    assert path.stat().st_mode & 0o777 == 0o600
