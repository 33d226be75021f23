"""What host, zygote and workers say to each other.

Fields are only ever added, and with defaults: the interpreter of a location may have the version before or after ours.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ..core.events import ErrorInfo
from ..core.launch import LaunchSpec, WorkerReport
from ..core.location import LocationDefinitions
from ..core.run import Run
from ..core.step import StepEnd, StepOrder
from ..core.tick import Evaluation, EvaluationRequest
from ..definitions.records import RunsFilter
from ..settings.instance import PythonLogsSettings
from .spec import LocationSpec, StartMethod


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base: tagged with its class name."""


class Setup(Message, frozen=True, kw_only=True):
    """Host to zygote, first: what to load, and what its workers need to know. Seconds for times."""

    spec: LocationSpec
    #: Path of the socket where workers find their location's host again.
    worker_socket: str
    compute_logs_dir: str
    #: Where the values that steps hand on are kept.
    outputs_dir: str = ""
    python_logs: PythonLogsSettings = PythonLogsSettings()
    #: How long a worker waits for a new host before it stops itself, and then for user code to clean up.
    host_grace: float = 30.0
    stop_grace: float = 15.0
    #: Begins the marks of the host's processes; the directory of its control groups, where it has some.
    tree_home: str = ""
    groups: str | None = None


class Loaded(Message, frozen=True, kw_only=True):
    """Zygote to host: the code is imported. ``directories`` hold the location's own source files."""

    definitions: LocationDefinitions
    start_method: StartMethod = "fork"
    start_method_reason: str | None = None
    directories: tuple[str, ...] = ()
    #: Of every module that was imported.
    files: tuple[str, ...] = ()


class LoadFailed(Message, frozen=True, kw_only=True):
    error: ErrorInfo
    directories: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class StartWorker(Message, frozen=True, kw_only=True):
    """Host to zygote: a run worker for ``launch``, one for a single ``step`` of it, or a tick worker without either.

    ``ticket`` comes back in the answer.
    """

    ticket: int
    launch: LaunchSpec | None = None
    step: StepOrder | None = None


class WorkerStarted(Message, frozen=True, kw_only=True):
    """Zygote to host, with the worker's socket and exit descriptor as SCM_RIGHTS."""

    ticket: int
    pid: int


class WorkerNotStarted(Message, frozen=True, kw_only=True):
    ticket: int
    error: str


class WorkerExited(Message, frozen=True, kw_only=True):
    """Zygote to host: exit code, negative for a signal."""

    pid: int
    code: int


class Assignment(Message, frozen=True, kw_only=True):
    """What a spawned worker reads from its standard input; a forked one inherits it."""

    setup: Setup
    launch: LaunchSpec | None = None
    step: StepOrder | None = None


class Hello(Message, frozen=True, kw_only=True):
    """Worker to a host that did not start it. ``pending`` are the ids of requests that it sends again after this."""

    run_id: str
    attempt: int
    pid: int
    step: StepOrder | None = None
    #: Of a run worker: what its step workers are told.
    launch: LaunchSpec | None = None
    pending: tuple[int, ...] = ()


class Report(Message, frozen=True, kw_only=True):
    """Worker to host. Ids grow by one; ``urgent`` when the worker waits for the commit."""

    id: int
    report: WorkerReport
    urgent: bool = False
    #: A step worker's last word, sent with its last events.
    step_end: StepEnd | None = None


class Ack(Message, frozen=True, kw_only=True):
    """Host to worker: reports up to ``id`` are committed. Not ``accepted``: this attempt was given up on."""

    id: int
    accepted: bool = True


class GivenUp(Message, frozen=True, kw_only=True):
    """Host to worker: the attempt is not yours any more."""

    reason: str


class Query(Message, frozen=True, kw_only=True):
    """Worker to host: a question of user code to the instance, answered after this worker's reports are committed."""

    id: int
    #: ``steps``: which steps of the run have succeeded, see ``core.step.steps_done``.
    method: Literal["get", "list", "count", "steps"]
    run_id: str | None = None
    filters: RunsFilter | None = None
    #: ``list``: after this run id, newest first, at most so many.
    cursor: str | None = None
    limit: int | None = None


class Answer(Message, frozen=True, kw_only=True):
    """``error`` is a sentence instead."""

    id: int
    runs: tuple[Run, ...] = ()
    count: int = 0
    steps: dict[str, tuple[str, ...]] = {}
    error: str | None = None


class StartStep(Message, frozen=True, kw_only=True):
    """Run worker to host: give this step a process; answered by StepEnded once the step or its process ended."""

    id: int
    order: StepOrder


class StepEnded(Message, frozen=True, kw_only=True):
    id: int
    end: StepEnd


class StopSteps(Message, frozen=True, kw_only=True):
    """Run worker to host: SIGTERM to all its step processes; answered by an empty Answer."""

    id: int = 0


class ClaimSlots(Message, frozen=True, kw_only=True):
    """Run worker to host: slots of a pool for a step; answered by Granted, at once or once it is its turn."""

    id: int
    step_key: str
    pool: str
    slots: int
    priority: int


class Granted(Message, frozen=True, kw_only=True):
    """Host to run worker. ``error`` is a sentence: the step can never have them."""

    id: int
    error: str | None = None


class WithdrawClaim(Message, frozen=True, kw_only=True):
    """Run worker to host: the step waits no more, and holds nothing; answered by an empty Answer."""

    step_key: str
    id: int = 0


class Evaluate(Message, frozen=True, kw_only=True):
    """Host to tick worker."""

    id: int
    request: EvaluationRequest


class Evaluated(Message, frozen=True, kw_only=True):
    id: int
    evaluation: Evaluation


class Validate(Message, frozen=True, kw_only=True):
    """Host to tick worker: does the job take this run config?"""

    id: int
    job_name: str
    run_config: dict[str, Any] = {}


class Validated(Message, frozen=True, kw_only=True):
    id: int
    issues: tuple[tuple[str, str], ...] = ()


ToZygote = Setup | StartWorker
FromZygote = Loaded | LoadFailed | WorkerStarted | WorkerNotStarted | WorkerExited
FromWorker = Hello | Report | Query | StartStep | StopSteps | ClaimSlots | WithdrawClaim | Evaluated | Validated
ToWorker = Ack | GivenUp | Answer | StepEnded | Granted | Evaluate | Validate
