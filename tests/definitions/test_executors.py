"""Executors: chosen in code and by run config, with what their config takes."""

from __future__ import annotations

import os

import pytest

import runyard as dg
from runyard.definitions.config.executor_config import ExecutorSettings, TagLimit
from runyard.definitions.config.job_config import config_issues, resolve_run_config
from runyard.definitions.describe import describe


@dg.op
def one():
    return 1


@dg.graph
def chain():
    one()


def job(executor=None):
    return chain.to_job(name="subject", executor_def=executor)


def settings(executor=None, config=None) -> ExecutorSettings:
    given = {} if config is None else {"execution": {"config": config}}
    return resolve_run_config(job(executor), given)["execution"]["config"]


def issues(executor, config):
    return config_issues(job(executor), {"execution": {"config": config}})


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("RUNYARD", "DAGSTER"):
        monkeypatch.delenv(f"{name}_MULTIPROCESS_EXECUTOR_MAX_CONCURRENT", raising=False)


def test_by_default_steps_run_side_by_side_on_every_processor():
    assert settings() == ExecutorSettings(True, os.cpu_count() or 1)
    assert settings(config={}) == settings()
    assert resolve_run_config(job(), {"execution": {}})["execution"]["config"] == settings()
    assert resolve_run_config(job(), {"execution": None})["execution"]["config"] == settings()


def test_run_config_chooses_between_the_two():
    assert settings(config={"in_process": {}}) == ExecutorSettings()
    assert settings(config={"in_process": None}) == ExecutorSettings()
    assert settings(config={"multiprocess": {"max_concurrent": 4}}).max_concurrent == 4
    both = {"in_process": {}, "multiprocess": {}}
    assert issues(None, both) == [("execution.config", "takes exactly one of in_process, multiprocess")]


def test_all_of_the_multiprocess_executors_keys():
    config = {
        "max_concurrent": 3,
        "retries": {"disabled": {}},
        "start_method": {"forkserver": {"preload_modules": ["a"]}},
        "tag_concurrency_limits": [
            {"key": "database", "value": "redshift", "limit": 2},
            {"key": "team", "value": {"applyLimitPerUniqueValue": True}, "limit": 1},
            {"key": "any", "limit": 5},
        ],
        "step_dependency_config": {"require_upstream_step_success": True},
    }
    limits = (TagLimit("database", 2, "redshift"), TagLimit("team", 1, per_value=True), TagLimit("any", 5))
    assert settings(dg.multiprocess_executor, config) == ExecutorSettings(True, 3, limits, retries=False)
    assert settings(dg.multi_or_in_process_executor, {"multiprocess": config}).tag_limits == limits


@pytest.mark.parametrize(
    ("config", "path", "told"),
    [
        ({"max_concurent": 3}, "max_concurent", "no field named 'max_concurent'. Did you mean 'max_concurrent'?"),
        ({"max_concurrent": -1}, "max_concurrent", "takes a whole number from 0 up or null, got -1 (int)"),
        ({"max_concurrent": True}, "max_concurrent", "takes a whole number from 0 up or null, got True (bool)"),
        ({"retries": {"maybe": {}}}, "retries", "takes exactly one of deferred, disabled, enabled"),
        ({"start_method": {"fork": {}}}, "start_method", "takes exactly one of forkserver, spawn"),
        (
            {"tag_concurrency_limits": [{"key": "a", "limit": 0}]},
            "tag_concurrency_limits.0.limit",
            "takes a whole number from 1 up, got 0 (int)",
        ),
        (
            {"tag_concurrency_limits": [{"limit": 1}]},
            "tag_concurrency_limits.0.key",
            "is required and takes a string",
        ),
        (
            {"tag_concurrency_limits": [{"key": "a", "value": 3, "limit": 1}]},
            "tag_concurrency_limits.0.value",
            "takes a string or {applyLimitPerUniqueValue: true}, got 3 (int)",
        ),
        (
            {"step_dependency_config": {"require_upstream_step_success": False}},
            "step_dependency_config.require_upstream_step_success",
            "takes true, got False (bool): a step begins once those that it needs have succeeded",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(config, path, told):
    found = issues(dg.multiprocess_executor, config)
    assert [place for place, _ in found] == [f"execution.config.{path}"]
    assert found[0][1].replace(" or null", "") == told.replace(" or null", "")


def test_the_in_process_executor_takes_its_own_keys_only():
    config = {"retries": {"enabled": {}}, "marker_to_close": "x"}
    assert settings(dg.in_process_executor, config) == ExecutorSettings()
    assert issues(dg.in_process_executor, {"max_concurrent": 2})[0][0] == "execution.config.max_concurrent"
    assert config_issues(job(), {"execution": {"confg": {}}})[0] == (
        "execution.confg",
        "no section named 'confg'. Did you mean 'config'?",
    )


@pytest.mark.parametrize("unset", [0, None])
def test_the_default_concurrency_comes_from_the_environment(monkeypatch, unset):
    monkeypatch.setenv("DAGSTER_MULTIPROCESS_EXECUTOR_MAX_CONCURRENT", "7")
    assert settings().max_concurrent == 7
    monkeypatch.setenv("RUNYARD_MULTIPROCESS_EXECUTOR_MAX_CONCURRENT", "6")
    assert settings(dg.multiprocess_executor, {"max_concurrent": unset}).max_concurrent == 6
    assert settings(dg.multiprocess_executor, {"max_concurrent": 2}).max_concurrent == 2
    monkeypatch.setenv("RUNYARD_MULTIPROCESS_EXECUTOR_MAX_CONCURRENT", "0")
    assert settings().max_concurrent == (os.cpu_count() or 1)


def test_a_broken_environment_variable_is_named(monkeypatch):
    monkeypatch.setenv("RUNYARD_MULTIPROCESS_EXECUTOR_MAX_CONCURRENT", "many")
    told = (
        "environment variable 'RUNYARD_MULTIPROCESS_EXECUTOR_MAX_CONCURRENT' holds 'many' (str), which is no whole "
        "number from 0 up"
    )
    assert config_issues(job(), {}) == [("execution.config.multiprocess.max_concurrent", told)]
    assert issues(dg.multiprocess_executor, {}) == [("execution.config.max_concurrent", told)]
    assert issues(dg.multiprocess_executor, {"max_concurrent": 2}) == []
    assert issues(None, {"in_process": {}}) == [], "it has no say where nothing runs side by side"


def test_configured_gives_config_that_run_config_may_change():
    two = dg.multiprocess_executor.configured({"max_concurrent": 2, "retries": {"disabled": {}}})
    assert settings(two) == ExecutorSettings(True, 2, retries=False)
    assert settings(two, {"max_concurrent": 5}) == ExecutorSettings(True, 5, retries=False)
    either = dg.multi_or_in_process_executor.configured({"multiprocess": {"max_concurrent": 2}})
    assert settings(either).max_concurrent == 2
    assert settings(either, {"multiprocess": {"retries": {"disabled": {}}}}) == ExecutorSettings(True, 2, (), False)
    assert settings(either, {"in_process": {}}) == ExecutorSettings()


def test_configured_again_adds_to_what_was_configured():
    two = dg.multiprocess_executor.configured({"max_concurrent": 2})
    again = two.configured({"retries": {"disabled": {}}}, name="again")
    assert (again.name, two.name) == ("again", "multiprocess")
    assert settings(again) == ExecutorSettings(True, 2, retries=False)
    either = dg.multi_or_in_process_executor.configured({"multiprocess": {"max_concurrent": 2}})
    once_more = either.configured({"multiprocess": {"retries": {"disabled": {}}}})
    assert settings(once_more) == ExecutorSettings(True, 2, retries=False)
    assert settings(once_more, {"multiprocess": {"max_concurrent": 3}}) == ExecutorSettings(True, 3, retries=False)


def test_configured_refuses_what_the_executor_does_not_take():
    with pytest.raises(
        dg.DagsterInvalidDefinitionError, match=r"Executor 'multiprocess', configured: max_concurrent: "
    ):
        dg.multiprocess_executor.configured({"max_concurrent": "many"})


def test_what_is_no_executor_is_refused():
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"Job 'subject': the executor is one such as"):
        job("in_process")
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"Definitions: the executor is one such as"):
        dg.Definitions(executor="in_process")


def test_definitions_give_an_executor_to_jobs_without_one():
    own = chain.to_job(name="own", executor_def=dg.in_process_executor)
    two = dg.multiprocess_executor.configured({"max_concurrent": 2})
    merged = dg.Definitions.merge(dg.Definitions(jobs=[own, job()]), dg.Definitions(executor=two))
    assert merged.get_job_def("own").executor is dg.in_process_executor
    assert merged.get_job_def("subject").executor is two
    assert dg.Definitions(jobs=[job()]).get_job_def("subject").executor is dg.multi_or_in_process_executor


def test_two_executors_do_not_merge():
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="two different executors"):
        dg.Definitions.merge(
            dg.Definitions(executor=dg.in_process_executor), dg.Definitions(executor=dg.multiprocess_executor)
        )


def test_the_jobs_own_config_may_choose():
    once = chain.to_job(name="subject", config={"execution": {"config": {"in_process": {}}}})
    assert resolve_run_config(once, {})["execution"]["config"] == ExecutorSettings()
    given = dg.RunConfig(execution={"config": {"multiprocess": {"max_concurrent": 3}}})
    assert resolve_run_config(once, given)["execution"]["config"].max_concurrent == 3


def test_the_schema_shows_it_and_the_default_config_does_not():
    (info,) = describe(dg.Definitions(jobs=[job(dg.multiprocess_executor)])).jobs
    config = info.config_schema["properties"]["execution"]["properties"]["config"]
    assert set(config["properties"]) == {
        "max_concurrent",
        "tag_concurrency_limits",
        "retries",
        "start_method",
        "step_dependency_config",
    }
    assert "execution" not in info.default_config
    (either,) = describe(dg.Definitions(jobs=[job()])).jobs
    assert "multiprocess" in str(either.config_schema["properties"]["execution"])


def test_an_executor_of_ones_own_is_missing():
    with pytest.raises(ImportError, match=r"'executor' is missing in Runyard"):
        from runyard import executor  # noqa: F401, PLC0415 - the point of the test


def test_validated_run_config_stays_as_it_was_written():
    config = {"execution": {"config": {"in_process": {}}}}
    assert dg.validate_run_config(job(), config)["execution"] == config["execution"]
    assert "execution" not in dg.validate_run_config(job(), {})
