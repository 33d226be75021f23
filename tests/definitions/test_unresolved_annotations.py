"""Annotations that cannot be resolved: an error names function, parameter and name where the annotation decides, and
nothing happens where it does not.
"""

import sys
import textwrap
import types
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import runyard as dg
from runyard.core.errors import InvalidDefinition

HEAD = """
from __future__ import annotations
from typing import TYPE_CHECKING
import runyard as dg

if TYPE_CHECKING:
    from nowhere import Missing
    import pandas as pd
    from runyard import OpExecutionContext

@dg.op
def source():
    return 1

@dg.job
def some_job():
    source()
"""


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Mapping[str, Any]]:
    """The names of a module with this text below the usual head."""

    def run(text: str) -> Mapping[str, Any]:
        made = types.ModuleType("users_module")
        monkeypatch.setitem(sys.modules, made.__name__, made)
        names = vars(made)
        code = compile(HEAD + textwrap.dedent(text), "users_module.py", "exec", dont_inherit=True)
        exec(code, names)  # noqa: S102 - the test's own text, with its own future import
        return names

    return run


Module = Callable[[str], Mapping[str, Any]]

RESOURCE = """
@dg.op
def uses(context, client: Missing): ...
@dg.job
def j():
    uses()
"""
LOCAL = """
def make():
    class Client(dg.ConfigurableResource):
        url: str = ""
    @dg.op
    def uses(client: Client): ...
    @dg.job(resource_defs={"client": Client()})
    def j():
        uses()
make()
"""
ATTRIBUTE = """
@dg.op
def uses(client: dg.NoSuchClass): ...
@dg.job
def j():
    uses()
"""
CONFIG_FIELD = """
class C(dg.Config):
    x: Missing = 1
@dg.op
def o(config: C): ...
@dg.job
def j():
    o()
j.config_tree
"""
TEXT = """
@dg.op
def uses(client: "list["): ...
@dg.job
def j():
    uses()
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RESOURCE, ("Job 'j'", "'client' of op 'uses'", "'Missing'", "the name 'Missing' is not defined")),
        (LOCAL, ("'client' of op 'uses'", "'Client'", "inside of a function")),
        (ATTRIBUTE, ("'client' of op 'uses'", "NoSuchClass")),
        (TEXT, ("'client' of op 'uses'", "'list['")),
        ("@dg.op\ndef o(config: Missing): ...\n", ("Op 'o' (users_module.py:", "'config'", "'Missing'")),
        (
            (
                "@dg.sensor(job=some_job)\ndef s(context, client: Missing): ...\n"
                "dg.Definitions.validate_loadable(dg.Definitions(sensors=[s]))\n"
            ),
            ("Sensor 's' (users_module.py:", "'client'", "the name 'Missing' is not defined"),
        ),
        (
            (
                "@dg.schedule('@daily', job=some_job)\ndef s(context, client: pd.DataFrame): ...\n"
                "dg.Definitions.validate_loadable(dg.Definitions(schedules=[s]))\n"
            ),
            ("Schedule 's' (users_module.py:", "'client'", "'pd.DataFrame'", "the name 'pd' is not defined"),
        ),
        (
            CONFIG_FIELD,
            ("C: field 'x'", "'Missing'", "the name 'Missing' is not defined"),
        ),
        (
            "class R(dg.ConfigurableResource):\n    x: list[Missing] = []\nR()\n",
            ("R: field 'x'", "'list[Missing]'", "the name 'Missing' is not defined"),
        ),
    ],
)
def test_where_an_annotation_decides_its_name_is_told(module: Module, text: str, told: tuple[str, ...]) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        module(text)
    for part in told:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        "@dg.op\ndef o(df: pd.DataFrame): ...\n@dg.job\ndef j():\n    o(source())\n",
        "@dg.op(ins={'x': dg.In(int)})\ndef o(x: Missing): ...\n@dg.job\ndef j():\n    o(source())\n",
        "@dg.op\ndef o(x: Missing = 1): ...\n@dg.job\ndef j():\n    o()\n",
        "@dg.op\ndef o() -> Missing:\n    return 1\n@dg.job\ndef j():\n    o()\n",
        "@dg.op(out=dg.Out(int))\ndef o(context: Missing) -> pd.DataFrame:\n    return 1\n@dg.job\ndef j():\n    o()\n",
        "@dg.op\ndef o(ctx: OpExecutionContext):\n    ctx.log.info('x')\n@dg.job\ndef j():\n    o()\n",
        "@dg.op\ndef o(): ...\n@dg.graph\ndef g(x: Missing) -> Missing: ...\n@dg.job\ndef j():\n    o()\n",
        "@dg.op\ndef o(): ...\n@dg.resource\ndef r(init: Missing) -> Missing: ...\n@dg.job\ndef j():\n    o()\n",
    ],
)
def test_where_it_does_not_decide_nothing_happens(module: Module, body: str) -> None:
    result = module(body)["j"].execute_in_process()
    assert result.success


def test_returns_and_contexts_of_sensors_decide_nothing(module: Module) -> None:
    names = module("@dg.sensor(job=some_job)\ndef s(context: Missing) -> Missing:\n    return dg.SkipReason('x')\n")
    assert names["s"](dg.build_sensor_context()).skip_message == "x"


def test_a_config_class_may_name_one_that_is_defined_below_it(module: Module) -> None:
    text = """
    class Outer(dg.Config):
        inner: Inner = None
    @dg.op
    def o(config: Outer): ...
    class Inner(dg.Config):
        x: int = 1
    @dg.job
    def j():
        o()
    """
    assert module(text)["j"].execute_in_process().success
