"""Runyard: an orchestrator for Python data jobs. ``import runyard as dg`` offers the definitions API.

Names are imported when they are first used (PEP 562), so that importing the package costs next to nothing.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .core.errors import InvalidDefinition as DagsterInvalidDefinitionError  # noqa: F401 - for type checkers
    from .core.errors import InvalidRunConfig as DagsterInvalidConfigError  # noqa: F401 - for type checkers
    from .core.errors import RunNotFound as DagsterRunNotFoundError  # noqa: F401 - for type checkers
    from .core.errors import RunyardError as DagsterError  # noqa: F401 - for type checkers
    from .core.events import EventType as DagsterEventType  # noqa: F401 - for type checkers
    from .core.run import RunStatus as DagsterRunStatus  # noqa: F401 - for type checkers
    from .core.tags import MAX_RUNTIME as MAX_RUNTIME_SECONDS_TAG  # noqa: F401 - for type checkers
    from .definitions.assets.keys import AssetKey as AssetKey
    from .definitions.assets.reports import AssetMaterialization as AssetMaterialization
    from .definitions.assets.reports import AssetObservation as AssetObservation
    from .definitions.assets.reports import ExpectationResult as ExpectationResult
    from .definitions.config.base import Config as Config
    from .definitions.config.base import PermissiveConfig as PermissiveConfig
    from .definitions.config.env import EnvVar as EnvVar
    from .definitions.config.job_config import validate_run_config as validate_run_config
    from .definitions.config.legacy import Array as Array
    from .definitions.config.legacy import BoolSource as BoolSource
    from .definitions.config.legacy import Field as Field
    from .definitions.config.legacy import IntSource as IntSource
    from .definitions.config.legacy import Map as Map
    from .definitions.config.legacy import Noneable as Noneable
    from .definitions.config.legacy import Permissive as Permissive
    from .definitions.config.legacy import Selector as Selector
    from .definitions.config.legacy import Shape as Shape
    from .definitions.config.legacy import StringSource as StringSource
    from .definitions.config.run_config import RunConfig as RunConfig
    from .definitions.definitions import Definitions as Definitions
    from .definitions.definitions import definitions as definitions
    from .definitions.dependencies import DependencyDefinition as DependencyDefinition
    from .definitions.dependencies import MultiDependencyDefinition as MultiDependencyDefinition
    from .definitions.dependencies import NodeInvocation as NodeInvocation
    from .definitions.engine import InstanceClient as InstanceClient
    from .definitions.errors import InvalidInvocation as DagsterInvalidInvocationError  # noqa: F401 - for type checkers
    from .definitions.errors import InvariantViolation as DagsterInvariantViolationError  # noqa: F401 - for type checkers
    from .definitions.errors import OutputNotFound as DagsterStepOutputNotFoundError  # noqa: F401 - for type checkers
    from .definitions.errors import UnknownResource as DagsterUnknownResourceError  # noqa: F401 - for type checkers
    from .definitions.errors import WrongType as DagsterTypeCheckDidNotPass  # noqa: F401 - for type checkers
    from .definitions.executors import ExecutorDefinition as ExecutorDefinition
    from .definitions.executors import in_process_executor as in_process_executor
    from .definitions.executors import multi_or_in_process_executor as multi_or_in_process_executor
    from .definitions.executors import multiprocess_executor as multiprocess_executor
    from .definitions.graph import GraphDefinition as GraphDefinition
    from .definitions.graph import graph as graph
    from .definitions.job import JobDefinition as JobDefinition
    from .definitions.job import job as job
    from .definitions.metadata import MetadataValue as MetadataValue
    from .definitions.op import OpDefinition as OpDefinition
    from .definitions.op import op as op
    from .definitions.paths import file_relative_path as file_relative_path
    from .definitions.policies import Backoff as Backoff
    from .definitions.policies import Failure as Failure
    from .definitions.policies import Jitter as Jitter
    from .definitions.policies import RetryPolicy as RetryPolicy
    from .definitions.policies import RetryRequested as RetryRequested
    from .definitions.records import DagsterRun as DagsterRun
    from .definitions.records import RunRecord as RunRecord
    from .definitions.records import RunsFilter as RunsFilter
    from .definitions.repository import RepositoryDefinition as RepositoryDefinition
    from .definitions.repository import repository as repository
    from .definitions.requests import RunRequest as RunRequest
    from .definitions.requests import SensorResult as SensorResult
    from .definitions.requests import SkipReason as SkipReason
    from .definitions.resources.configurable import ConfigurableResource as ConfigurableResource
    from .definitions.resources.definition import ResourceDefinition as ResourceDefinition
    from .definitions.resources.definition import resource as resource
    from .definitions.resources.params import ResourceDependency as ResourceDependency
    from .definitions.resources.params import ResourceParam as ResourceParam
    from .definitions.schedule import DefaultScheduleStatus as DefaultScheduleStatus
    from .definitions.schedule import ScheduleDefinition as ScheduleDefinition
    from .definitions.schedule import schedule as schedule
    from .definitions.sensor import DefaultSensorStatus as DefaultSensorStatus
    from .definitions.sensor import SensorDefinition as SensorDefinition
    from .definitions.sensor import sensor as sensor
    from .definitions.slots import GraphIn as GraphIn
    from .definitions.slots import GraphOut as GraphOut
    from .definitions.slots import In as In
    from .definitions.slots import Nothing as Nothing
    from .definitions.slots import Out as Out
    from .definitions.slots import Output as Output
    from .execution.contexts.builders import build_schedule_context as build_schedule_context
    from .execution.contexts.builders import build_sensor_context as build_sensor_context
    from .execution.contexts.direct_op import build_op_context as build_op_context
    from .execution.contexts.evaluation import ScheduleEvaluationContext as ScheduleEvaluationContext
    from .execution.contexts.evaluation import SensorEvaluationContext as SensorEvaluationContext
    from .execution.contexts.init import InitResourceContext as InitResourceContext
    from .execution.contexts.op import OpExecutionContext as OpExecutionContext
    from .execution.ephemeral import EphemeralInstance as EphemeralInstance
    from .execution.errors import RunCancelled as DagsterExecutionInterruptedError  # noqa: F401 - for type checkers
    from .execution.in_process import ExecuteInProcessResult as ExecuteInProcessResult
    from .execution.log import get_dagster_logger as get_dagster_logger
    from .execution.user_events import DagsterEvent as DagsterEvent

#: Where each name comes from: module, and the name there when it differs.
_MODULES: dict[str, tuple[str, ...]] = {
    "definitions.assets.keys": ("AssetKey",),
    "definitions.assets.reports": (
        "AssetMaterialization",
        "AssetObservation",
        "ExpectationResult",
    ),
    "definitions.config.base": (
        "Config",
        "PermissiveConfig",
    ),
    "definitions.config.env": ("EnvVar",),
    "definitions.config.job_config": ("validate_run_config",),
    "definitions.config.legacy": (
        "Array",
        "BoolSource",
        "Field",
        "IntSource",
        "Map",
        "Noneable",
        "Permissive",
        "Selector",
        "Shape",
        "StringSource",
    ),
    "definitions.config.run_config": ("RunConfig",),
    "definitions.definitions": (
        "Definitions",
        "definitions",
    ),
    "definitions.dependencies": (
        "DependencyDefinition",
        "MultiDependencyDefinition",
        "NodeInvocation",
    ),
    "definitions.engine": ("InstanceClient",),
    "definitions.executors": (
        "ExecutorDefinition",
        "in_process_executor",
        "multi_or_in_process_executor",
        "multiprocess_executor",
    ),
    "definitions.graph": (
        "GraphDefinition",
        "graph",
    ),
    "definitions.job": (
        "JobDefinition",
        "job",
    ),
    "definitions.metadata": ("MetadataValue",),
    "definitions.op": (
        "OpDefinition",
        "op",
    ),
    "definitions.paths": ("file_relative_path",),
    "definitions.policies": (
        "Backoff",
        "Failure",
        "Jitter",
        "RetryPolicy",
        "RetryRequested",
    ),
    "definitions.records": (
        "DagsterRun",
        "RunRecord",
        "RunsFilter",
    ),
    "definitions.repository": (
        "RepositoryDefinition",
        "repository",
    ),
    "definitions.requests": (
        "RunRequest",
        "SensorResult",
        "SkipReason",
    ),
    "definitions.resources.configurable": ("ConfigurableResource",),
    "definitions.resources.definition": (
        "ResourceDefinition",
        "resource",
    ),
    "definitions.resources.params": (
        "ResourceDependency",
        "ResourceParam",
    ),
    "definitions.schedule": (
        "DefaultScheduleStatus",
        "ScheduleDefinition",
        "schedule",
    ),
    "definitions.sensor": (
        "DefaultSensorStatus",
        "SensorDefinition",
        "sensor",
    ),
    "definitions.slots": (
        "GraphIn",
        "GraphOut",
        "In",
        "Nothing",
        "Out",
        "Output",
    ),
    "execution.contexts.builders": (
        "build_schedule_context",
        "build_sensor_context",
    ),
    "execution.contexts.direct_op": ("build_op_context",),
    "execution.contexts.evaluation": (
        "ScheduleEvaluationContext",
        "SensorEvaluationContext",
    ),
    "execution.contexts.init": ("InitResourceContext",),
    "execution.contexts.op": ("OpExecutionContext",),
    "execution.ephemeral": ("EphemeralInstance",),
    "execution.in_process": ("ExecuteInProcessResult",),
    "execution.log": ("get_dagster_logger",),
    "execution.user_events": ("DagsterEvent",),
}
#: Names of the field for what is called otherwise here.
_ALIASES = {
    "DagsterError": ("core.errors", "RunyardError"),
    "DagsterInvalidConfigError": ("core.errors", "InvalidRunConfig"),
    "DagsterInvalidDefinitionError": ("core.errors", "InvalidDefinition"),
    "DagsterRunNotFoundError": ("core.errors", "RunNotFound"),
    "DagsterEventType": ("core.events", "EventType"),
    "DagsterRunStatus": ("core.run", "RunStatus"),
    "MAX_RUNTIME_SECONDS_TAG": ("core.tags", "MAX_RUNTIME"),
    "DagsterInvalidInvocationError": ("definitions.errors", "InvalidInvocation"),
    "DagsterInvariantViolationError": ("definitions.errors", "InvariantViolation"),
    "DagsterStepOutputNotFoundError": ("definitions.errors", "OutputNotFound"),
    "DagsterTypeCheckDidNotPass": ("definitions.errors", "WrongType"),
    "DagsterUnknownResourceError": ("definitions.errors", "UnknownResource"),
    "DagsterExecutionInterruptedError": ("execution.errors", "RunCancelled"),
}
_PLACES = {name: (module, name) for module, names in _MODULES.items() for name in names} | _ALIASES


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise _missing(name)
    from importlib import import_module  # noqa: PLC0415 - light as the rest of this file

    value = getattr(import_module(f"runyard.{place[0]}"), place[1])
    globals()[name] = value
    return value


class _Package(ModuleType):
    """Keeps ``runyard.schedule`` and ``runyard.definitions`` the decorators of these names.

    Importing a submodule sets it as an attribute of its package, and there are submodules of these names too.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _PLACES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})


def _missing(name: str) -> Exception:
    """ImportError for ``from runyard import x``, AttributeError for ``runyard.x``; both say what is the matter.

    ``from`` asks through importlib's own function, which passes an ImportError on and would swallow an AttributeError.
    """
    if name.startswith("__") or _is_submodule(name):
        return AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .core.text import did_you_mean  # noqa: PLC0415 - only for the message

    message = f"'{name}' is missing in Runyard {__version__}.{did_you_mean(name, _PLACES)}"
    asked_by_from = sys._getframe(2).f_code.co_name == "_handle_fromlist"  # noqa: SLF001 - see above
    return ImportError(message, name=__name__) if asked_by_from else AttributeError(message)


def _is_submodule(name: str) -> bool:
    from importlib.util import find_spec  # noqa: PLC0415 - only for names that are no attributes

    return find_spec(f"{__name__}.{name}") is not None
