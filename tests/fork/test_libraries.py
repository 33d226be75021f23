"""The libraries of data work in forked workers: right results, and none that waits for a thread that is not there."""

from __future__ import annotations

from locations.code import one_op
from locations.yard import Yard
from runyard.core.run import RunStatus

#: Everything here is used when the code is imported already.
TABLES = """
    import io
    import numpy as np, pandas as pd, pyarrow as pa, pyarrow.compute as pc, pyarrow.csv as csv, pyarrow.dataset as ds

    FRAME = pd.DataFrame({"kind": ["x", "y"] * 50_000, "number": np.arange(100_000.0)})
    FRAME.to_parquet(HERE / "frame.parquet", engine="pyarrow")
    FRAME = pd.read_parquet(HERE / "frame.parquet")
    TABLE = pa.Table.from_pandas(FRAME)
    TEXT = b"a,b\\n" + b"1,2\\n" * 100_000

    def answers():
        yield float(FRAME.groupby("kind").number.sum()["x"])
        yield FRAME.kind.str.upper().iloc[-1]
        yield pd.read_parquet(HERE / "frame.parquet").equals(FRAME)
        yield TABLE.group_by("kind").aggregate([("number", "sum")]).sort_by("kind")["number_sum"].to_pylist()
        yield pc.sum(TABLE["number"]).as_py()
        yield ds.dataset(HERE / "frame.parquet").to_table().num_rows
        yield csv.read_csv(io.BytesIO(TEXT)).num_rows
        yield float((np.ones((600, 600)) @ np.ones((600, 600))).sum())

    AT_IMPORT = list(answers())
"""


def test_numpy_pandas_and_pyarrow_are_forked_and_compute_right(yard: Yard) -> None:
    body = """
for expected, found in zip(AT_IMPORT, answers(), strict=True):
    assert found == expected, (found, expected)
context.log.info(str(AT_IMPORT))
"""
    location = yard.location(one_op(body, head=TABLES.strip()))
    record = location.record()
    assert (record.start_method, record.start_method_reason) == ("fork", None), record.error
    runs = [yard.launch(location) for _ in range(4)]
    for run_id in runs:
        assert yard.finished(run_id).status is RunStatus.SUCCESS, yard.run(run_id).failure
    sums = [2499950000.0, 2500000000.0]
    assert yard.lines(runs[0]) == [str([sums[0], "Y", True, sums, sum(sums), 100_000, 100_000, 600.0**3])]


def test_polars_is_spawned_when_it_is_imported_with_the_code_and_works(yard: Yard) -> None:
    head = "import polars as pl; FRAME = pl.DataFrame({'a': [1, 2] * 500, 'b': range(1000)})"
    body = "context.log.info(str(FRAME.group_by('a').agg(pl.col('b').sum()).sort('a')['b'].to_list()))"
    location = yard.location(one_op(body, head=head))
    record = location.record()
    assert record.start_method == "spawn"
    assert "polars" in str(record.start_method_reason)
    run_id = yard.launch(location)
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    assert yard.lines(run_id) == ["[249500, 250000]"]


def test_libraries_that_cannot_be_forked_may_be_imported_where_they_are_used(yard: Yard) -> None:
    body = """
import grpc
import polars as pl
frame = pl.DataFrame({"a": [1, 2] * 500, "b": range(1000)})
with grpc.insecure_channel("127.0.0.1:1") as channel:
    try:
        channel.unary_unary("/nobody/there")(b"", timeout=10)
    except grpc.RpcError as error:
        context.log.info(error.code().name)
context.log.info(str(frame.group_by("a").agg(pl.col("b").sum()).sort("a")["b"].to_list()))
"""
    location = yard.location(one_op(body))
    assert location.record().start_method == "fork"
    runs = [yard.launch(location) for _ in range(2)]
    for run_id in runs:
        assert yard.finished(run_id).status is RunStatus.SUCCESS
        assert yard.lines(run_id) == ["UNAVAILABLE", "[249500, 250000]"]


def test_connections_that_are_opened_anew_after_a_fork_are_left_alone(yard: Yard) -> None:
    # As Arrow does with the pipe by which Ctrl-C stops its readers.
    head = """
    ends = list(os.pipe())
    def renew():
        os.close(ends[0])
        os.close(ends[1])
        ends[:] = os.pipe()
    os.register_at_fork(after_in_child=renew)
"""
    body = 'os.write(ends[1], b"x"); context.log.info(str(os.read(ends[0], 1)))'
    location = yard.location(one_op(body, head=head.strip()))
    record = location.record()
    assert (record.start_method, record.start_method_reason) == ("fork", None)
    run_id = yard.launch(location)
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    assert yard.lines(run_id) == ["b'x'"]
