"""``contextmanager`` around user code, whose exceptions go through as they are."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from functools import wraps
from types import TracebackType
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")


def contextmanager(function: Callable[P, Iterator[T]]) -> Callable[P, AbstractContextManager[T]]:
    """As that of ``contextlib``, which assigns to exceptions on their way: one that cannot be assigned to, such as a
    frozen dataclass, would come out as the error of the assignment.
    """

    @wraps(function)
    def manager(*args: P.args, **kwargs: P.kwargs) -> AbstractContextManager[T]:
        return _Manager(cast("Generator[T, None, None]", function(*args, **kwargs)))

    return manager


class _Manager(AbstractContextManager[T]):
    def __init__(self, generator: Generator[T, None, None]) -> None:
        self._generator = generator

    def __enter__(self) -> T:
        return next(self._generator)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            next(self._generator, None)
            return False
        try:
            self._generator.throw(error)
        except StopIteration as end:
            return end is not error
        except BaseException as raised:
            # Python makes a RuntimeError of a StopIteration that leaves a generator.
            if raised is error or (issubclass(type(error), StopIteration) and raised.__cause__ is error):
                BaseException.with_traceback(error, trace)
                return False
            raise
        return True
