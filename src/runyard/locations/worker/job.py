"""The job that a worker is to do, from the location's definitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...core.error_info import message_of, print_error
from ...core.errors import NotFound, RunCancelled, RunyardError
from ...core.foreign import class_name
from ...core.run import RunFailure
from ...definitions.job import JobDefinition
from .cancellation import Cancellation


class NoJob(RunyardError):
    """The job cannot be had."""

    def __init__(self, failure: RunFailure) -> None:
        self.failure = failure
        super().__init__(failure.message)


def find_job(definitions: Callable[[], Any], name: str, cancellation: Cancellation) -> JobDefinition:
    """The job. A spawned worker imports user code here.

    Raises:
        NoJob: there is none of this name, or the code does not load.
    """
    try:
        job: JobDefinition = definitions().get_job_def(name)
        # Code that is imported here may have put a handler of its own.
        cancellation.listen()
    except NotFound as error:
        raise NoJob(RunFailure("JobNotFound", str(error))) from None
    except RunCancelled:
        raise
    except BaseException as error:
        print_error(error)
        raise NoJob(RunFailure(class_name(type(error)), f"The code does not load: {message_of(error)}")) from error
    return job
