"""Which jobs a schedule or sensor asks runs of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..core.errors import InvalidDefinition
from ..core.text import did_you_mean, listing
from .job import JobDefinition, as_job


class Targets(NamedTuple):
    """``jobs`` given as objects, or ``job_name`` of one that the code location has."""

    jobs: tuple[JobDefinition, ...] = ()
    job_name: str | None = None

    @classmethod
    def of(
        cls,
        owner: str,
        *,
        job: Any = None,
        jobs: Sequence[Any] | None = None,
        job_name: str | None = None,
        target: Any = None,
    ) -> Targets:
        """Raises InvalidDefinition when more than one way of naming them is used."""
        given = {"job": job, "jobs": jobs, "job_name": job_name, "target": target}
        used = [name for name, value in given.items() if value is not None]
        if len(used) > 1:
            raise InvalidDefinition(f"{owner}: {listing(used)} are given; give one of them.")
        found = target if target is not None else jobs if jobs is not None else job
        if found is None:
            return cls(job_name=_checked_name(owner, job_name))
        if isinstance(found, str):
            return cls(job_name=found)
        many = list(found) if isinstance(found, list | tuple | set | frozenset) else [found]
        return cls(jobs=tuple(as_job(one, owner) for one in many))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(job.name for job in self.jobs) or ((self.job_name,) if self.job_name else ())

    def pick(self, owner: str, job_name: str | None) -> str:
        """The job of a run request that names ``job_name``.

        Raises:
            InvalidDefinition: it names none and there are several or none, or one that is no target.
        """
        if job_name is None:
            if len(self.names) == 1:
                return self.names[0]
            has = f"has several: {listing(self.names)}" if self.names else "has no job"
            raise InvalidDefinition(
                f"{owner} asked for a run without a job_name, but {has}. Give RunRequest(job_name=…)."
            )
        if self.names and job_name not in self.names:
            raise InvalidDefinition(
                f"{owner} asked for a run of '{job_name}', which is not among its jobs: {listing(self.names)}."
                f"{did_you_mean(job_name, self.names)}"
            )
        return job_name


def _checked_name(owner: str, job_name: Any) -> str | None:
    if job_name is not None and not isinstance(job_name, str):
        raise InvalidDefinition(f"{owner}: job_name is a string, not {job_name!r}.")
    return job_name
