"""Building graphs: what is wired to what, and what is refused with which words."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import runyard as dg
from runyard.core.errors import InvalidDefinition
from runyard.definitions.wiring import find_cycle


@dg.op
def one() -> int:
    return 1


@dg.op
def add(a: int, b: int = 10) -> int:
    return a + b


@dg.op
def total(numbers: list[int]) -> int:
    return sum(numbers)


@dg.op(out={"low": dg.Out(int), "high": dg.Out(int)})
def bounds():
    return 1, 9


@dg.op(ins={"after": dg.In(dg.Nothing)})
def late() -> str:
    return "done"


def test_outputs_flow_through_calls_fan_in_and_several_outputs():
    @dg.job
    def numbers():
        low, high = bounds()
        more = add(low, b=high)
        late(after=more)
        return total([low, high, more])

    result = numbers.execute_in_process()
    assert result.output_value() == 20
    assert result.output_for_node("bounds", "high") == 9
    assert result.output_for_node("late") == "done"
    assert [step.key for step in numbers.steps] == ["bounds", "add", "late", "total"]
    assert numbers.step("total").needs() == ("bounds", "add")


def test_names_in_a_graph_are_made_unique_and_aliases_kept():
    @dg.job
    def many():
        one()
        one()
        one.alias("first").tag({"size": 3})()
        one.tag({"a": "b"}).alias("second")()

    assert [step.key for step in many.steps] == ["one", "one_2", "first", "second"]
    assert many.step("first").tags == {"size": "3"}


def test_nested_graphs_take_inputs_give_outputs_and_pass_tags_and_retries_down():
    policy = dg.RetryPolicy(max_retries=2)

    @dg.graph(tags={"layer": "inner"}, out={"sum": dg.GraphOut(), "base": dg.GraphOut()})
    def inner(x):
        base = add(x)
        return {"sum": add.alias("more")(base), "base": base}

    @dg.graph
    def outer(x):
        sums = inner.with_retry_policy(policy)(x)
        return total([sums.sum, sums.base])

    @dg.job
    def nested():
        return outer(one())

    assert [step.key for step in nested.steps] == ["one", "outer.inner.add", "outer.inner.more", "outer.total"]
    step = nested.step("outer.inner.more")
    assert step.tags == {"layer": "inner"}
    assert step.retry_policy == policy
    result = nested.execute_in_process()
    assert result.output_value() == 11 + 21
    assert result.output_for_node("outer.inner.more") == 21
    assert len(result.events_for_node("outer")) == 9


def _refused(build, *parts):
    with pytest.raises(InvalidDefinition) as caught:
        build()
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def unknown():
    add(aa=one())


def constant():
    add(5)


def too_many():
    bounds(5)


def twice():
    add(one(), a=5)


def all_outputs():
    add(bounds())


def taken_apart():
    _a, _b = one()


def same_alias():
    one.alias("x")()
    one.alias("x")()


def unconnected():
    takes()


@dg.op
def takes(thing):
    return thing


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (unknown, ("op 'add' has no input 'aa'", "Did you mean 'a'?")),
        (constant, ("op 'add': input 'a' is given 5 (int)",)),
        (too_many, ("op 'bounds' is given 1 inputs, but takes none",)),
        (twice, ("op 'add' is given input 'a' twice",)),
        (all_outputs, ("all outputs of an op at once", "high, low")),
        (taken_apart, ("output 'result' of 'one' cannot be taken apart",)),
        (same_alias, ("two nodes are called 'x'",)),
        (unconnected, ("input 'thing' of op 'takes' is connected to nothing",)),
    ],
)
def test_bad_calls_name_the_job_its_place_the_op_and_the_nearest_input(body, parts):
    _refused(lambda: dg.job(body), f"Job '{body.__name__}' (test_composition.py:", *parts)


def test_a_graph_returns_outputs_of_its_ops_and_runs_as_a_job():
    @dg.graph
    def fine():
        return one()

    def returns_value():
        one()
        return 5

    _refused(lambda: dg.graph(returns_value), "Graph 'returns_value'", "output 'result' is 5 (int)")
    _refused(fine, "Graph 'fine' is called outside of a graph or job")


def test_a_handle_of_another_graph_is_refused():
    kept = []

    @dg.job
    def first():
        kept.append(one())

    def build():
        @dg.job
        def second():
            add(kept[0])

    _refused(build, "Job 'second'", "output 'result' of 'one' of another graph")


def test_a_job_cannot_be_called():
    @dg.job
    def plain():
        one()

    _refused(plain, "Job 'plain' cannot be called")


def test_ops_are_refused_with_their_name_and_place():
    def missing_parameter():
        @dg.op(ins={"x": dg.In(int)})
        def broken(y):
            return y

    def bad_tag():
        @dg.op(tags={"when": object()})
        def broken():
            return None

    def bad_name():
        @dg.op(name="has space")
        def broken():
            return None

    def keys_as_string():
        @dg.op(required_resource_keys="db")
        def broken(context):
            return None

    place = "(test_composition.py:"
    _refused(missing_parameter, "Op 'broken'", place, "input 'x' is declared")
    _refused(bad_tag, "Op 'broken'", place, "Tag 'when'")
    _refused(bad_name, "'has space' is no name for an op")
    _refused(keys_as_string, "Op 'broken'", "write {'db'}")


def test_wiring_by_hand():
    graph = dg.GraphDefinition(
        "by_hand",
        node_defs=[one, add, total],
        dependencies={
            "one": {},
            dg.NodeInvocation("add", alias="plus"): {"a": dg.DependencyDefinition("one")},
            "total": {
                "numbers": dg.MultiDependencyDefinition(
                    [dg.DependencyDefinition("one"), dg.DependencyDefinition("plus")]
                )
            },
        },
    )
    assert graph.execute_in_process().output_for_node("total") == 12


def test_a_cycle_and_a_dangling_dependency_are_refused():
    def circle():
        dg.GraphDefinition(
            "circle",
            node_defs=[add, total],
            dependencies={
                "add": {"a": dg.DependencyDefinition("total")},
                "total": {"numbers": dg.DependencyDefinition("add")},
            },
        )

    def dangling():
        dg.GraphDefinition("g", node_defs=[add, one], dependencies={"add": {"a": dg.DependencyDefinition("onne")}})

    def no_output():
        dg.GraphDefinition("g", node_defs=[add, one], dependencies={"add": {"a": dg.DependencyDefinition("one", "x")}})

    def no_definition():
        dg.GraphDefinition("g", node_defs=[one], dependencies={"ones": {}})

    def no_input():
        dg.GraphDefinition("g", node_defs=[add, one], dependencies={"add": {"c": dg.DependencyDefinition("one")}})

    _refused(circle, "Graph 'circle' has a cycle", "add -> total -> add")
    _refused(dangling, "comes from 'onne'", "Did you mean 'one'?")
    _refused(no_output, "output 'x' of 'one'", "result")
    _refused(no_definition, "dependencies name 'ones'", "Did you mean 'one'?")
    _refused(no_input, "op 'add' has no input 'c'")


@st.composite
def _graphs(draw):
    names = [f"n{i}" for i in range(draw(st.integers(1, 8)))]
    return {name: draw(st.lists(st.sampled_from(names), max_size=4, unique=True)) for name in names}


def _has_cycle(needs):
    """The plain way: take away what needs nothing until nothing can be taken away."""
    left = {name: set(others) for name, others in needs.items()}
    while free := [name for name, others in left.items() if not others]:
        for name in free:
            del left[name]
        for others in left.values():
            others.difference_update(free)
    return bool(left)


@given(_graphs())
def test_a_cycle_is_found_exactly_when_there_is_one(needs):
    around = find_cycle(needs)
    assert (around is not None) == _has_cycle(needs)
    if around:
        assert around[0] == around[-1]
        assert all(after in needs[before] for before, after in pairwise(around))


def test_a_long_chain_needs_no_recursion():
    names = [f"n{i}" for i in range(5000)]
    assert find_cycle({a: [b] for a, b in pairwise(names)} | {names[-1]: []}) is None


def test_a_graph_becomes_several_jobs():
    @dg.graph(description="Adds.")
    def adding():
        return add(one())

    quick = adding.to_job(name="quick", tags={"speed": "high"})
    slow = adding.to_job(name="slow", op_retry_policy=dg.RetryPolicy(max_retries=3))
    assert (quick.name, quick.description, quick.run_tags) == ("quick", "Adds.", {"speed": "high"})
    assert slow.steps[0].retry_policy.max_retries == 3
    assert quick.steps[0].retry_policy is None


def test_run_tags_stand_in_for_tags_on_runs():
    @dg.job(tags={"a": "1"}, run_tags={"b": 2})
    def tagged():
        one()

    assert tagged.tags == {"a": "1"}
    assert tagged.run_tags == {"b": "2"}
    assert tagged.execute_in_process(tags={"c": "3"}).dagster_run.tags == {"b": "2", "c": "3"}
