import asyncio

from rvae.serving.gateway.budget import ByteBudget


def test_who_wants_more_than_is_left_waits_and_nobody_overtakes() -> None:
    async def run() -> None:
        budget, order = ByteBudget(100), []

        async def take(size: int) -> None:
            await budget.acquire(size)
            order.append(size)

        await budget.acquire(60)
        waiting = [asyncio.create_task(take(size)) for size in (50, 10, 30)]
        await asyncio.sleep(0)
        assert budget.is_short and order == [] and budget.held == 60
        budget.release(60)
        await asyncio.gather(*waiting)
        assert order == [50, 10, 30] and budget.held == 90 and not budget.is_short

    asyncio.run(run())


def test_who_gives_up_leaves_no_bytes_and_lets_the_next_one_in() -> None:
    async def run() -> None:
        budget = ByteBudget(100)
        await budget.acquire(60)
        large = asyncio.create_task(budget.acquire(50))
        small = asyncio.create_task(budget.acquire(40))
        await asyncio.sleep(0)
        large.cancel()
        await small
        assert budget.held == 100
        # Granted and given up at the same time.
        last = asyncio.create_task(budget.acquire(40))
        await asyncio.sleep(0)
        budget.release(40)
        last.cancel()
        await asyncio.wait([last])
        assert last.cancelled() and budget.held == 60
        # Given up, and not yet heard of it when its turn comes.
        first, last = (asyncio.create_task(budget.acquire(size)) for size in (70, 40))
        await asyncio.sleep(0)
        first.cancel()
        budget.release(60)
        await last
        assert budget.held == 40 and not budget.is_short

    asyncio.run(run())


def test_one_request_alone_may_take_more() -> None:
    async def run() -> None:
        budget = ByteBudget(100)
        await budget.acquire(500)
        assert budget.held == 500 and budget.is_short

    asyncio.run(run())


def test_bytes_that_are_there_already_can_exceed_the_limit_which_is_told_once() -> None:
    async def run() -> None:
        budget, told = ByteBudget(100), []
        budget.call_when_exceeded(lambda: told.append(budget.held))
        budget.hold(100)
        await asyncio.wait_for(budget.wait_within(), 1)
        budget.hold(1)
        budget.hold(1)
        assert told == [101] and budget.is_short
        waiting = asyncio.create_task(budget.wait_within())
        await asyncio.sleep(0)
        budget.release(2)
        budget.hold(1)  # before the waiting one has looked
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done() and told == [101, 101]
        budget.release(1)
        await asyncio.wait_for(waiting, 1)

    asyncio.run(run())
