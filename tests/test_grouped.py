"""Durable writes in groups: few commits, in order, and each who waits hears what came of its own."""

import asyncio

import pytest

from extractor.llm.grouped import Grouped


async def together(group: Grouped[int], numbers: range) -> list[int]:
    """Add all at once; the order in which they came back."""
    back: list[int] = []

    async def one(number: int) -> None:
        await group.add(number)
        back.append(number)

    await asyncio.gather(*(one(number) for number in numbers))
    return back


async def test_once_everybody_waits_nobody_waits_for_the_timer_and_nobody_overtakes() -> None:
    """One commit for all, long before the time is up; whoever came last does not come back first."""
    commits: list[list[int]] = []
    group = Grouped(commits.append, wait=3600, everybody=lambda: 5)
    assert await asyncio.wait_for(together(group, range(5)), 30) == [0, 1, 2, 3, 4]
    assert await asyncio.wait_for(together(group, range(5, 10)), 30) == [5, 6, 7, 8, 9]
    assert commits == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


async def test_those_who_begin_one_after_the_other_in_one_turn_are_one_commit() -> None:
    """Each is everybody when it begins, as at the start of a run."""
    commits: list[list[int]] = []
    begun = 0
    group = Grouped(commits.append, wait=3600, everybody=lambda: begun)

    async def one(number: int) -> None:
        nonlocal begun
        begun += 1
        await group.add(number)

    await asyncio.wait_for(asyncio.gather(*(one(number) for number in range(4))), 30)
    assert commits == [[0, 1, 2, 3]]


async def test_a_commit_that_fails_is_told_to_all_of_its_batch_and_to_no_other() -> None:
    """The next batch is committed as if nothing had been."""
    fails = [True, False]

    def commit(items: list[int]) -> None:
        if fails.pop(0):
            raise OSError("full")

    group = Grouped(commit)
    told = await asyncio.gather(group.add(1), group.add(2), return_exceptions=True)
    assert [type(one) for one in told] == [OSError, OSError]
    await group.add(3)


async def test_one_that_is_cancelled_takes_nothing_from_the_others() -> None:
    """What it added is committed too."""
    commits: list[list[int]] = []
    group = Grouped(commits.append, wait=0.01)
    first, second = asyncio.create_task(group.add(1)), asyncio.create_task(group.add(2))
    await asyncio.sleep(0)
    first.cancel()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    assert commits == [[1, 2]]
