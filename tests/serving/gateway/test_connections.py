import asyncio

from rvae.serving.gateway.connections import SPARE, Connections
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer
from tests.support.gateways import Asked, Run, both_loops, front, post, reply, statuses, until


class Played:
    """A connection that remembers what happens to it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.is_busy = False

    def abort(self) -> None:
        self.told.append("abort")

    def close(self) -> None:
        self.told.append("close")

    def check_time(self, now: float) -> None:
        self.told.append(f"time {now:g}")


def test_the_longest_idle_connection_makes_room_and_busy_ones_do_not() -> None:
    everyone = Connections(GatewayLimits(connections=3))
    played = [Played() for _ in range(6)]
    first, second, third, fourth, fifth, _ = played
    for each in (first, second, third):
        assert everyone.add(each)  # type: ignore[arg-type]
        everyone.set_idle(each)  # type: ignore[arg-type]
    everyone.set_busy(first)  # type: ignore[arg-type]
    assert everyone.is_short
    assert everyone.add(fourth)  # type: ignore[arg-type]
    assert [each.told for each in played[:4]] == [[], ["abort"], [], []] and len(everyone) == 3
    everyone.set_busy(third)  # type: ignore[arg-type]
    assert not everyone.add(fifth)  # type: ignore[arg-type]
    everyone.sweep(7.0)
    assert [each.told for each in played[2:5]] == [["time 7"]] * 3 and second.told == ["abort"]


def test_even_refusals_are_bounded() -> None:
    everyone = Connections(GatewayLimits(connections=1))
    played = [Played() for _ in range(SPARE + 3)]
    assert [everyone.add(each) for each in played].count(True) == 1  # type: ignore[arg-type]
    assert [each.told for each in played].count(["abort"]) == 2


@both_loops
def test_idle_and_half_sent_connections_do_not_keep_others_out(run: Run) -> None:
    async def echo(asked: Asked) -> Answer:
        return Answer(200, asked.body)

    async def attack() -> None:
        async with front(echo, GatewayLimits(connections=20, drain_seconds=0)) as one:
            held = []
            for number in range(60):
                reader, writer = await one.connect()
                writer.write(b"POST /pre" if number % 2 else b"")
                held.append((reader, writer))
                if number % 10 == 0:
                    assert (await one.ask(b"x")).body == b"x"
            await until(lambda: one.held()["connections"] <= 20, one.held)
            assert await held[0][0].read() == b""
            for _, writer in held:
                writer.close()

    run(attack())


@both_loops
def test_more_connections_with_requests_than_allowed_are_refused(run: Run) -> None:
    release = asyncio.Event()

    async def wait(asked: Asked) -> Answer:
        await release.wait()
        return Answer(200, b"")

    async def attack() -> None:
        release.clear()
        async with front(wait, GatewayLimits(connections=3, drain_seconds=0)) as one:
            asking = [asyncio.create_task(one.ask()) for _ in range(3)]
            await until(lambda: one.held()["jobs"] == 3, one.held)
            refused = reply(await one.raw(b""))
            assert refused.error == (503, "connection") and refused.headers["retry-after"] == "1"
            release.set()
            assert {(await each).status for each in asking} == {200}
            assert (await one.ask()).status == 200

    run(attack())


@both_loops
def test_slow_bodies_do_not_keep_others_out(run: Run) -> None:
    async def echo(asked: Asked) -> Answer:
        return Answer(200, asked.body)

    async def attack() -> None:
        async with front(echo, GatewayLimits(connections=5, drain_seconds=0)) as one:
            slow = [await one.connect() for _ in range(5)]
            for _, writer in slow:
                writer.write(post(bytes(9000))[:-1])
            await until(lambda: one.held()["idle"] == 0, one.held)
            assert reply(await one.raw(b"")).status == 503
            for reader, writer in slow:
                assert statuses(await asyncio.wait_for(reader.read(), 10)) == [408]
                writer.close()
            assert (await one.ask()).status == 200

    run(attack())
