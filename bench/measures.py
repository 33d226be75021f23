"""The measures. Each takes one contender once and returns values by figure key."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import processes
from .contender import FINISHED, HEAVY_CODE, MANY_STEPS, STEPS, BenchError, Contender, RunTimes, Server

Found = dict[str, list[float]]


@dataclass(frozen=True)
class Options:
    """How much to measure. Seconds, or counts."""

    commands: int
    submits: int
    runs: int
    settle: float
    cap: float
    #: Runs that run at once while memory is measured.
    workers: int
    #: Repeat number: both contenders see the same pauses.
    seed: int = 0


@contextmanager
def _server(contender: Contender, home: Path) -> Iterator[Server]:
    server = contender.start(home)
    try:
        yield server
    finally:
        server.stop()


def _timed(command: list[str], env: dict[str, str], times: int) -> list[float]:
    """Wall seconds of each call but the first, which fills caches."""
    taken = []
    for _ in range(times + 1):
        begun = time.monotonic()
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        taken.append(time.monotonic() - begun)
        if done.returncode:
            raise BenchError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return taken[1:]


#: Touched by name, because a library may put off importing what nobody uses.
NAMES = "Config, ConfigurableResource, Definitions, In, Out, RunRequest, ScheduleDefinition, job, op, schedule, sensor"


def imports(contender: Contender, home: Path, options: Options) -> Found:
    """A new interpreter that imports what a file of definitions uses, and ends."""
    env = contender.environment(contender.prepare(home))
    return {
        "interpreter": _timed([contender.python, "-c", "pass"], env, options.commands),
        "import": _timed([contender.python, "-c", f"from {contender.package} import {NAMES}"], env, options.commands),
    }


def commands(contender: Contender, home: Path, options: Options) -> Found:
    """Commands that a person or a script types, on a home with one run and no server."""
    env = contender.environment(contender.prepare(home))
    with _server(contender, home) as server:
        server.wait_until_usable()
        server.run_once()
    return {
        "version": _timed(contender.command("--version"), env, options.commands),
        "run_list": _timed(contender.command("run", "list"), env, options.commands),
    }


def start(contender: Contender, home: Path, options: Options) -> Found:  # noqa: ARG001 - measures share a signature
    """The first start makes the database, the second finds it."""
    contender.prepare(home)
    with _server(contender, home) as server:
        first = server.wait_until_ready()
    with _server(contender, home) as server:
        return {
            "first_start": [first],
            "start": [server.wait_until_ready()],
            "usable": [server.wait_until_usable()],
        }


def memory(contender: Contender, home: Path, options: Options) -> Found:
    """Everything idle, once what the start stirred up has settled."""
    with _server(contender, contender.prepare(home)) as server:
        server.wait_until_usable()
        time.sleep(options.settle)
        pids = processes.marked(server.mark)
        return {"memory": [sum(map(processes.pss, pids))], "processes": [len(pids)]}


def latency(contender: Contender, home: Path, options: Options) -> Found:
    """One run after another through the idle queue, at moments unrelated to any polling interval."""
    pauses = random.Random(options.seed)  # noqa: S311 - not for secrets
    started, user_code = [], []
    with _server(contender, contender.prepare(home)) as server:
        server.wait_until_usable()
        server.run_once()
        for _ in range(options.submits):
            time.sleep(pauses.uniform(0, 5))
            begun = time.time()
            run = _finish(server, server.submit())
            started.append((run.started_at or 0) - begun)
            user_code.append((server.stamp(run.run_id) or 0) - begun)
    return {"started": started, "user_code": user_code}


def _finish(server: Server, run_id: str) -> RunTimes:
    """Wait for the run's own file first: asking the server all the time would slow what is measured."""
    server.wait("user code", lambda: server.stamp(run_id) is not None, every=0.01)
    done: list[RunTimes] = []

    def ended() -> bool:
        done[:] = [run for run in server.runs(5) if run.run_id == run_id and run.status in FINISHED]
        return bool(done)

    server.wait("end of the run", ended)
    if done[0].status != "SUCCESS":
        raise BenchError(f"The run ended as {done[0].status}; see {server.log}")
    return done[0]


def throughput(contender: Contender, home: Path, options: Options) -> Found:
    """Many one-op runs submitted one after another as fast as they are taken; 10 run at a time."""
    with _server(contender, contender.prepare(home)) as server:
        server.wait_until_usable()
        server.run_once()
        begun = time.time()
        wanted = {server.submit() for _ in range(options.runs)}
        stamps = server.home / "stamps"
        while len(list(stamps.iterdir())) <= options.runs and time.time() - begun < options.cap:
            time.sleep(0.25)
        ends = _ends(server, wanted, begun + options.cap)
    if not ends:
        raise BenchError(f"No run finished within {options.cap:.0f} s; see {server.log}")
    return {"finished": [len(ends)], "rate": [len(ends) / (max(ends) - begun)]}


def _ends(server: Server, wanted: set[str], deadline: float) -> list[float]:
    """When each run that succeeded ended; all of them, or as many as there are at the deadline."""
    while True:
        ours = [run for run in server.runs(len(wanted) + 1) if run.run_id in wanted]
        ends = [run.ended_at for run in ours if run.status == "SUCCESS" and run.ended_at is not None]
        if len(ends) == len(wanted) or time.time() > deadline:
            return ends
        time.sleep(0.25)


def steps(contender: Contender, home: Path, options: Options) -> Found:
    """Steps that do nothing, each in a process of its own, as many at a time as there are cores."""
    with _server(contender, contender.prepare(home)) as server:
        server.wait_until_usable()
        server.run_once()
        run_id = server.submit(MANY_STEPS)
        ended: list[RunTimes] = []

        def is_over() -> bool:
            ended[:] = [run for run in server.runs(5) if run.run_id == run_id and run.status in FINISHED]
            return bool(ended)

        server.wait("end of the run", is_over, limit=options.cap)
    run = ended[0]
    if run.status != "SUCCESS" or run.started_at is None or run.ended_at is None:
        raise BenchError(f"The run of {STEPS} steps ended as {run.status}; see {server.log}")
    return {"many_steps": [run.ended_at - run.started_at]}


def workers(contender: Contender, home: Path, options: Options) -> Found:
    """Memory while many runs run of code that takes some 200 MB when it is imported."""
    with _server(contender, contender.prepare(home, HEAVY_CODE, options.workers)) as server:
        server.wait_until_usable()
        idle = sum(map(processes.pss, processes.marked(server.mark)))
        begun = time.monotonic()
        for _ in range(options.workers):
            server.submit()
        stamps = server.home / "stamps"
        server.wait("running workers", lambda: len(list(stamps.iterdir())) >= options.workers, options.cap, every=0.25)
        taken = time.monotonic() - begun
        time.sleep(options.settle)
        busy = sum(map(processes.pss, processes.marked(server.mark)))
        (server.home / "go").touch()
    return {"heavy_idle": [idle], "heavy_workers": [busy - idle], "heavy_started": [taken]}


MEASURES: dict[str, Callable[[Contender, Path, Options], Found]] = {
    "imports": imports,
    "commands": commands,
    "start": start,
    "memory": memory,
    "latency": latency,
    "throughput": throughput,
    "steps": steps,
    "workers": workers,
}
