"""What streams of a page get to hear, over the app's own feed and over real connections."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

from runyard.web.feed import SHORTEST_GAP, Feed, Notice


class Hints:
    """Stands for storage: keeps who listens."""

    def __init__(self) -> None:
        self.callback: Callable[[str], None] = lambda _: None
        self.ended = False

    def listen(self, callback: Callable[[str], None]) -> Callable[[], None]:
        self.callback = callback
        return self.end

    def end(self) -> None:
        self.ended = True


async def take(notices: AsyncIterator[Notice], count: int) -> list[Notice]:
    return [await asyncio.wait_for(anext(notices), 5) for _ in range(count)]


def test_hints_of_other_threads_reach_every_stream() -> None:
    async def scenario() -> None:
        hints = Hints()
        feed = Feed(hints.listen)
        async with feed.running():
            one, other = feed.notices(None), feed.notices(None)
            assert [n.topic for n in await take(one, 1) + await take(other, 1)] == ["hello", "hello"]
            thread = threading.Thread(target=hints.callback, args=("runs",))
            thread.start()
            assert await take(one, 1) == await take(other, 1)
            thread.join()
        assert hints.ended

    asyncio.run(scenario())


def test_a_flood_becomes_few_notices_and_the_last_hint_is_never_lost() -> None:
    async def scenario() -> None:
        hints = Hints()
        feed = Feed(hints.listen)
        async with feed.running():
            stream = feed.notices(None)
            await take(stream, 1)
            loop = asyncio.get_running_loop()
            began = loop.time()
            heard = 0
            for _ in range(3):
                for _ in range(1000):
                    hints.callback("queue")
                assert (await take(stream, 1))[0].topic == "queue"
                heard += 1
            assert loop.time() - began >= (heard - 1) * SHORTEST_GAP * 0.9

    asyncio.run(scenario())


def test_topics_do_not_hold_each_other_back_and_strange_ones_stay_inside() -> None:
    async def scenario() -> None:
        hints = Hints()
        feed = Feed(hints.listen)
        async with feed.running():
            stream = feed.notices(None)
            await take(stream, 1)
            for topic in ("cancel", "runs", "queue", "instigators", "locations"):
                hints.callback(topic)
            assert {n.topic for n in await take(stream, 3)} == {"runs", "queue", "locations"}

    asyncio.run(scenario())


def test_a_stream_that_comes_back_hears_what_it_missed() -> None:
    async def scenario() -> None:
        hints = Hints()
        feed = Feed(hints.listen)
        async with feed.running():
            first = feed.notices(None)
            (hello,) = await take(first, 1)
            hints.callback("runs")
            (moved,) = await take(first, 1)
            again = await take(feed.notices(hello.id), 2)
            assert again == [Notice(hello.id, "hello"), moved]
            assert [n.topic for n in await take(feed.notices(moved.id), 1)] == ["hello"]

    asyncio.run(scenario())


def test_after_a_restart_of_the_server_everything_may_have_moved() -> None:
    async def scenario() -> None:
        feed = Feed(Hints().listen)
        async with feed.running():
            for old in ("1234abcd.7", "nonsense", "."):
                assert [n.topic for n in await take(feed.notices(old), 1)] == ["reset"]

    asyncio.run(scenario())


def test_closing_ends_streams() -> None:
    async def scenario() -> None:
        feed = Feed(Hints().listen)
        async with feed.running():
            stream = feed.notices(None)
            await take(stream, 1)
            waiting = asyncio.ensure_future(anext(stream, None))
            await asyncio.sleep(0)
            feed.close()
            assert await asyncio.wait_for(waiting, 5) is None
            assert [n.topic async for n in feed.notices(None)] == ["hello"]

    asyncio.run(scenario())
