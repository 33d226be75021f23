"""Run config: every problem is found, named by its place, with what is taken there."""

from datetime import date
from enum import Enum
from typing import Literal, Optional

import pytest
from pydantic import Field as PydanticField

import runyard as dg
from runyard.core.errors import InvalidRunConfig
from runyard.definitions.config.job_config import config_issues, filled_config
from runyard.definitions.describe import describe


class Colour(Enum):
    RED = "#f00"
    BLUE = "#00f"


class Size(dg.Config):
    width: int
    height: int = 2


class Render(dg.Config):
    resolution: int
    scale: float = 1.0
    colour: Colour = Colour.RED
    size: Size = Size(width=4)
    sizes: list[Size] = []  # noqa: RUF012 - pydantic copies it
    labels: dict[str, str] = {}  # noqa: RUF012 - same
    note: Optional[str] = None  # noqa: UP045 - as people write it too
    mode: Literal["fast", "fine"] = "fast"
    day: date = date(2024, 1, 1)
    limit: int = PydanticField(default=5, ge=1, le=10)


class Needs(dg.Config):
    inner: Size


class Loose(dg.PermissiveConfig):
    known: int = 1


@dg.op
def render(config: Render) -> Render:
    return config


@dg.op
def needs(config: Needs) -> int:
    return config.inner.width


@dg.op
def loose(config: Loose) -> dict:
    return config.model_dump()


@dg.op
def plain() -> int:
    return 1


@dg.op
def anything(context: dg.OpExecutionContext):
    return context.op_config


@dg.op
def double(n: int) -> int:
    return n * 2


@dg.graph
def group():
    needs()


@dg.job
def picture():
    render()
    group()
    plain()
    anything()


GOOD = {
    "ops": {"render": {"config": {"resolution": 3}}, "group": {"ops": {"needs": {"config": {"inner": {"width": 1}}}}}}
}


def issues(ops):
    return dict(config_issues(picture, {**GOOD, "ops": {**GOOD["ops"], **ops}}))


def test_good_config_has_no_issues_and_arrives_typed():
    assert config_issues(picture, GOOD) == []
    result = picture.execute_in_process(run_config=GOOD)
    assert result.output_for_node("render").resolution == 3
    assert result.output_for_node("group.needs") == 1


def test_everything_missing_is_named_to_the_leaf():
    assert config_issues(picture, {}) == [
        ("ops.render.config.resolution", "is required and takes a whole number"),
        ("ops.group.ops.needs.config.inner.width", "is required and takes a whole number"),
    ]


def test_unknown_names_come_with_the_nearest():
    found = issues({"rendr": {}, "render": {"config": {"resolution": 1, "resolutoin": 2}}, "plain": {"confg": {}}})
    assert found["ops.rendr"] == "no op named 'rendr'. Did you mean 'render'?"
    assert found["ops.render.config.resolutoin"] == "no field named 'resolutoin'. Did you mean 'resolution'?"
    assert found["ops.plain.confg"] == "no section named 'confg'. Did you mean 'config'?"
    assert dict(config_issues(picture, {**GOOD, "op": {}}))["op"] == "no section named 'op'. Did you mean 'ops'?"


@pytest.mark.parametrize(
    ("config", "place", "told"),
    [
        ({"resolution": "3"}, "resolution", "takes a whole number, got '3' (str)"),
        ({"resolution": 1, "scale": "big"}, "scale", "takes a number, got 'big' (str)"),
        ({"resolution": 1, "size": 4}, "size", "takes a dict of fields, got 4 (int)"),
        ({"resolution": 1, "size": {"width": None}}, "size.width", "takes a whole number, got None"),
        ({"resolution": 1, "sizes": [{"width": 1}, {"hight": 1}]}, "sizes.1.width", "is required"),
        ({"resolution": 1, "labels": ["a"]}, "labels", "takes a dict, got ['a'] (list)"),
        ({"resolution": 1, "mode": "slow"}, "mode", "Input should be 'fast' or 'fine', got 'slow' (str)"),
        ({"resolution": 1, "limit": 11}, "limit", "Input should be less than or equal to 10, got 11 (int)"),
        ({"resolution": 1, "colour": "GREEN"}, "colour", "Input should be '#f00' or '#00f', got 'GREEN' (str)"),
        (5, "", "takes a dict of fields, got 5 (int)"),
    ],
)
def test_wrong_values_say_what_is_taken(config, place, told):
    path = f"ops.render.config.{place}" if place else "ops.render.config"
    assert issues({"render": {"config": config}})[path] == told


def test_json_spellings_of_richer_types_are_taken():
    config = {"resolution": 1, "colour": "BLUE", "day": "2025-02-03", "scale": 2, "size": {"width": 7}}
    result = picture.execute_in_process(run_config={"ops": {**GOOD["ops"], "render": {"config": config}}})
    value = result.output_for_node("render")
    assert (value.colour, value.day, value.scale, value.size.height) == (Colour.BLUE, date(2025, 2, 3), 2.0, 2)
    assert issues({"render": {"config": {**config, "colour": "#00f"}}}) == {}


def test_an_op_that_cannot_read_config_takes_none():
    assert issues({"plain": {"config": {"a": 1}}})["ops.plain.config.a"] == "there is no config of this op here"
    free = {"ops": {**GOOD["ops"], "anything": {"config": {"a": [1]}}}}
    assert picture.execute_in_process(run_config=free).output_for_node("anything") == {"a": [1]}


def test_environment_variables(monkeypatch):
    spelt = {"render": {"config": {"resolution": {"env": "RES"}, "note": {"env": "NOTE"}}}}
    monkeypatch.delenv("RES", raising=False)
    assert issues(spelt)["ops.render.config.resolution"] == "environment variable 'RES' is not set"
    monkeypatch.setenv("RES", "many")
    assert "takes a whole number, which environment variable 'RES'" in issues(spelt)["ops.render.config.resolution"]
    monkeypatch.setenv("RES", "8")
    monkeypatch.setenv("NOTE", "8")
    value = picture.execute_in_process(run_config={"ops": {**GOOD["ops"], **spelt}}).output_for_node("render")
    assert (value.resolution, value.note) == (8, "8")


def test_env_vars_in_config_objects(monkeypatch):
    monkeypatch.setenv("RES", "9")
    config = dg.RunConfig(
        ops={
            "render": Render(resolution=dg.EnvVar.int("RES"), colour=Colour.BLUE),
            "group": dg.RunConfig(ops={"needs": Needs(inner=Size(width=3))}),
        }
    )
    spelt = config.to_config_dict()["ops"]
    assert spelt["render"]["config"]["resolution"] == {"env": "RES"}
    assert spelt["render"]["config"]["colour"] == "BLUE"
    assert spelt["group"] == {"ops": {"needs": {"config": {"inner": {"width": 3, "height": 2}}}}}
    result = picture.execute_in_process(run_config=config)
    assert result.output_for_node("render").resolution == 9


def test_config_objects_inside_a_dict():
    spelt = {
        "ops": {"render": Render(resolution=1), "group": {"ops": {"needs": {"config": Needs(inner=Size(width=6))}}}}
    }
    assert picture.execute_in_process(run_config=spelt).output_for_node("group.needs") == 6


def test_permissive_config_keeps_the_rest():
    @dg.job
    def free():
        loose()

    result = free.execute_in_process(run_config={"ops": {"loose": {"config": {"more": [1], "known": 2}}}})
    assert result.output_for_node("loose") == {"known": 2, "more": [1]}


def test_the_jobs_own_config_holds_for_what_a_run_does_not_mention():
    @dg.job(config=dg.RunConfig(ops={"render": Render(resolution=7), "needs": Needs(inner=Size(width=1))}))
    def with_config():
        render()
        needs()

    assert config_issues(with_config, {}) == []
    result = with_config.execute_in_process(run_config={"ops": {"needs": {"config": {"inner": {"width": 5}}}}})
    assert result.output_for_node("render").resolution == 7
    assert result.output_for_node("needs") == 5


def test_inputs_that_no_op_provides_come_from_config():
    @dg.job
    def doubling():
        double()

    assert config_issues(doubling, {}) == [("ops.double.inputs.n", "is required and takes a value")]
    assert config_issues(doubling, {"ops": {"double": {"inputs": {"n": "x"}}}}) == [
        ("ops.double.inputs.n", "is an input: expected int, got 'x' (str)")
    ]
    for spelt in (4, {"value": 4}):
        result = doubling.execute_in_process(run_config={"ops": {"double": {"inputs": {"n": spelt}}}})
        assert result.output_for_node("double") == 8


def test_inputs_of_the_job():
    @dg.job
    def doubling(n):
        return double(n)

    assert doubling.execute_in_process(input_values={"n": 3}).output_value() == 6
    assert doubling.execute_in_process(run_config={"inputs": {"n": 4}}).output_value() == 8
    with pytest.raises(InvalidRunConfig, match=r"inputs\.n: is required"):
        doubling.execute_in_process()


def test_validate_run_config_fills_in_defaults_or_raises():
    full = dg.validate_run_config(picture, GOOD)
    assert full["ops"]["render"]["config"]["limit"] == 5
    assert full["ops"]["render"]["config"]["size"] == {"width": 4, "height": 2}
    with pytest.raises(dg.DagsterInvalidConfigError, match=r"ops\.render\.config\.resolution"):
        dg.validate_run_config(picture, {})


def test_the_schema_and_defaults_for_the_launchpad():
    info = describe(dg.Definitions(jobs=[picture])).job("picture")
    schema = info.config_schema["properties"]["ops"]["properties"]["render"]["properties"]["config"]
    assert schema["required"] == ["resolution"]
    assert schema["properties"]["sizes"]["items"]["properties"]["width"]["type"] == "integer"
    assert "$ref" not in str(info.config_schema)
    assert info.default_config["ops"]["render"]["config"]["labels"] == {}
    assert filled_config(picture) == info.default_config


def test_older_schemas():
    @dg.op(
        config_schema={
            "path": str,
            "limit": dg.Field(int, default_value=10),
            "tags": dg.Field(dg.Array(str), is_required=False),
            "nested": {"on": bool},
            "maybe": dg.Noneable(float),
            "any": dg.Permissive({"a": int}),
            "kind": dg.Selector({"x": int, "y": str}),
            "by_name": dg.Map(str, int),
            "secret": dg.StringSource,
        }
    )
    def old(context):
        return context.op_config

    @dg.job
    def legacy():
        old()

    config = {
        "path": "p",
        "nested": {"on": True},
        "any": {"a": 1, "z": 2},
        "kind": {"x": 1},
        "by_name": {"q": 1},
        "secret": "s",
    }
    result = legacy.execute_in_process(run_config={"ops": {"old": {"config": config}}})
    assert result.output_for_node("old") == {**config, "limit": 10, "maybe": None}
    wrong = {**config, "path": 5, "nested": {"on": "yes", "of": 1}, "kind": {"x": 1, "y": "2"}, "limit": "x"}
    found = dict(config_issues(legacy, {"ops": {"old": {"config": wrong}}}))
    assert found == {
        "ops.old.config.path": "takes a string, got 5 (int)",
        "ops.old.config.limit": "takes a whole number, got 'x' (str)",
        "ops.old.config.nested.of": "no field named 'of'. Known: on.",
        "ops.old.config.nested.on": "takes true or false, got 'yes' (str)",
        "ops.old.config.kind": "takes exactly one of x, y",
    }


def test_a_plain_type_as_config():
    @dg.op
    def named(config: str):
        return config.upper()

    @dg.job
    def shout():
        named()

    assert shout.execute_in_process(run_config={"ops": {"named": {"config": "abc"}}}).output_for_node("named") == "ABC"
    assert config_issues(shout, {"ops": {"named": {"config": 4}}}) == [
        ("ops.named.config", "takes a string, got 4 (int)")
    ]


def test_a_config_parameter_of_another_name_is_refused():
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="call it 'config'"):

        @dg.op
        def wrong(settings: Render):
            return settings
