import asyncio
import random
from contextlib import AbstractAsyncContextManager

import pytest

from rvae.serving.gateway.turns import Turns


class Running:
    """Requests that have their turn."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.most: dict[str, int] = {}

    async def run(self, turn: AbstractAsyncContextManager[None], name: str, rounds: int) -> None:
        async with turn:
            self.names.add(name)
            kind = name[0]
            for _ in range(rounds):
                self.most[kind] = max(
                    self.most.get(kind, 0), sum(one[0] == kind for one in self.names)
                )
                assert kind != "a" or len(self.names) == 1
                await asyncio.sleep(0)
            self.names.remove(name)


@pytest.mark.parametrize("few", [1, 2])
def test_most_run_beside_each_other_and_few_of_the_expensive_ones(few: int) -> None:
    async def run() -> None:
        turns, running = Turns(few), Running()
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(running.run(turns.beside(), f"b{number}", 5))
                group.create_task(running.run(turns.expensive(2.0), f"e{number}", 2))
            await asyncio.sleep(0)
            assert turns.expected_seconds == 6.0
        assert running.most == {"b": 3, "e": few} and turns.expected_seconds == 0

    asyncio.run(run())


def test_who_runs_alone_waits_for_the_others_and_they_for_it() -> None:
    async def run() -> None:
        turns, running = Turns(), Running()
        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(running.run(turns.beside(), f"b{number}", 3))
            await asyncio.sleep(0)
            for number in range(2):
                group.create_task(running.run(turns.alone(), f"a{number}", 3))
            await asyncio.sleep(0)
            group.create_task(running.run(turns.beside(), "b9", 1))
            await asyncio.sleep(0)
            assert "b9" not in running.names
        assert running.most == {"b": 4, "a": 1}

    asyncio.run(run())


def test_who_is_cancelled_anywhere_keeps_nobody_waiting() -> None:
    async def run(rng: random.Random) -> None:
        turns, running = Turns(), Running()

        async def one(number: int) -> None:
            kind = rng.choice("bbea")
            turn = {"b": turns.beside, "e": lambda: turns.expensive(1.0), "a": turns.alone}[kind]
            name = f"{kind}{number}"
            try:
                await running.run(turn(), name, rng.randrange(1, 4))
            finally:
                running.names.discard(name)

        tasks = []
        for number in range(60):
            tasks.append(asyncio.create_task(one(number)))
            for _ in range(rng.randrange(3)):
                await asyncio.sleep(0)
            if rng.random() < 0.5:
                rng.choice(tasks).cancel()
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        failures = [each for each in results if isinstance(each, AssertionError)]
        assert failures == [] and turns.expected_seconds == 0
        for turn in (turns.beside, turns.alone):
            async with asyncio.timeout(1), turn():
                pass

    for seed in range(50):
        asyncio.run(run(random.Random(seed)))
