"""Errors that tell a person what was wrong, where, and what to do. Each edge translates them once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .text import did_you_mean, listing, quoted, sentence, shortened

#: Characters of a message; what goes on beyond that came from outside and says no more.
_LONGEST = 20_000


class RunyardError(Exception):
    """Base of every error that Runyard raises on purpose; ``str()`` is a sentence for a person."""

    def __init__(self, message: str = "") -> None:
        super().__init__(shortened(message, _LONGEST))


class RunCancelled(BaseException):
    """Raised inside user code, by the worker's SIGTERM handler, when the run is to stop.

    No Exception, so that user code's ``except Exception`` lets it through. Code of ours that catches what user code
    raises lets it through as well: a cancellation is never a user's error.
    """

    def __init__(self, message: str = "The run was canceled.") -> None:
        super().__init__(message)


class UserError(RunyardError):
    """What was asked for cannot be done as asked: exit code 1, HTTP 4xx."""


class ConfigError(UserError):
    """An instance or workspace file says something that cannot be meant."""

    def __init__(
        self, message: str, *, file: str | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        self.file, self.line, self.column = file, line, column
        where = ":".join(str(part) for part in (file, line, column) if part)
        super().__init__(f"{where}: {message}" if file else message)


class HomeNotSet(UserError):
    def __init__(self) -> None:
        super().__init__(
            "RUNYARD_HOME is not set: set it to the absolute path of the directory that holds runyard.yaml."
        )


class NotFound(UserError):
    """Something was named that does not exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str] = ()) -> None:
        self.kind, self.name = kind, name
        options = list(known)
        hint = did_you_mean(name, options)
        if not hint and options:
            hint = f" Known: {listing(options)}."
        super().__init__(f"No {kind} named {quoted(name)}.{hint}")


class RunNotFound(NotFound):
    def __init__(self, run_id: str) -> None:
        super().__init__("run", run_id)


class InvalidTag(UserError):
    """A tag's key or value cannot be stored or means nothing."""

    def __init__(self, key: str, message: str) -> None:
        self.key = shortened(key, 255)
        super().__init__(f"Tag {quoted(key)}: {message}")


class InvalidRunConfig(UserError):
    """Run config that the job does not take. ``issues`` holds (path, message) pairs, path joined by dots."""

    def __init__(self, job_name: str, issues: list[tuple[str, str]]) -> None:
        self.job_name, self.issues = job_name, issues
        told = "; ".join(f"{path or 'run config'}: {message}" for path, message in issues)
        super().__init__(f"Run config of {quoted(job_name)} is not valid: {told}")


class InvalidDefinition(UserError):
    """A definition in user code contradicts itself."""


class LocationUnavailable(UserError):
    """The code location cannot answer now; asking again later may work."""

    def __init__(self, location: str, reason: str) -> None:
        self.location, self.reason = location, reason
        super().__init__(f"Code location '{location}' is unavailable: {reason}")


class StillLoading(LocationUnavailable):
    """The code location answers as soon as its code has loaded."""

    def __init__(self, location: str, reason: str = "it is loading.") -> None:
        super().__init__(location, reason)


class LeaseLost(RunyardError):
    """Another process has taken the lease that this transaction was fenced with; nothing was written."""

    def __init__(self, name: str, term: int) -> None:
        self.name, self.term = name, term
        super().__init__(f"Lease '{name}' is no longer held at term {term}.")


class StorageUnavailable(RunyardError):
    """The database cannot be reached or stays busy; nothing was written."""


class NotStorable(UserError):
    """The database cannot hold what was asked for, however often it is asked; nothing was written."""


class ForbiddenTransition(RunyardError):
    """The caller asked for a status change that the transition table does not contain: a bug of ours."""


class WrongState(UserError):
    """What was asked for does not fit the state that the run is in."""


class OverlapRefused(UserError):
    """The overlap policy of a job keeps a run out of the queue. ``reason`` is a clause: ``it is running (3f2a…)``."""

    def __init__(self, job_name: str, policy: str, reason: str) -> None:
        self.job_name, self.policy, self.reason = job_name, policy, reason
        super().__init__(f"A run of '{job_name}' was refused by its overlap policy '{policy}': {reason}.")


class NeverAdmissible(UserError):
    """A run or step takes more slots than a limit has: it could wait for ever."""

    def __init__(self, what: str, slots: int, rule: str, limit: int) -> None:
        self.rule, self.limit = rule, limit
        super().__init__(
            f"{what} takes {slots} slots of {rule}, whose limit is {limit}: it could never start. "
            "Let it take fewer, or raise the limit."
        )


class InvalidLimit(UserError):
    """A limit that means nothing. ``fault`` ends a sentence: ``cannot be -1: say a number from 0 to 1000``."""

    def __init__(self, subject: str, fault: str) -> None:
        super().__init__(f"The limit of {shortened(subject)} {fault}.")


class TooLarge(UserError):
    """A name, text or collection is larger than what Runyard keeps; ``core.bounds`` states how large each may be."""


class UnknownCursor(UserError):
    """The place that a list should go on from does not exist, or not any more."""

    def __init__(self, cursor: str, advice: str) -> None:
        super().__init__(f"after={quoted(cursor)} is no place in this list: {advice}")


class KeyReused(UserError):
    """An idempotency key comes again with another request than the first time."""

    def __init__(self, key: str, run_ids: Sequence[str]) -> None:
        self.key, self.run_ids = key, tuple(run_ids)
        runs = ", ".join(run_id[:8] for run_id in run_ids[:3]) + (" and more" if len(run_ids) > 3 else "")
        told = f"run{'s' if len(run_ids) > 1 else ''} {runs}" if run_ids else "runs that have been deleted since"
        super().__init__(
            f"The idempotency key {quoted(key)} was used for another request, which made {told}. "
            "Repeat that request as it was, or use a new key."
        )


class InvalidPool(UserError):
    """A name that no pool can have. ``fault`` is a clause."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"{fault[0].upper()}{fault[1:]}.")


class InvalidPause(UserError):
    """A pause that names nothing, or is over before it begins."""


class ValueMissing(RunyardError):
    """What a step handed on is needed and cannot be had. ``why`` is a clause: ``it is not kept``."""

    def __init__(self, step_key: str, output: str, why: str) -> None:
        self.step_key, self.output = step_key, output
        super().__init__(f"Output '{output}' of step '{step_key}' is needed, but {sentence(why)}")


class ValueNotTrusted(ValueMissing):
    """Another user could have written a stored value, and reading it would run what he wrote."""

    def __init__(self, step_key: str, output: str, path: str, why: str) -> None:
        self.path = path
        super().__init__(
            step_key,
            output,
            f"another user could have written its file, and reading it would run what he wrote: {why}, {path}. "
            "Run the step again, or, if you trust it, make it yours alone (chown, chmod go-w)",
        )


class ValueNotStorable(UserError):
    """An output cannot be kept for other processes and for retries. ``why`` is what pickle or the disk said."""

    def __init__(self, step_key: str, output: str, kind: str, why: str) -> None:
        self.step_key, self.output = step_key, output
        super().__init__(f"Output '{output}' of step '{step_key}', a {kind}, cannot be stored: {sentence(why)}")
