"""Code locations that tests use."""

from __future__ import annotations

#: Writes ``started`` beside itself, then waits until ``go`` is there.
WAITING = """
    import os, pathlib, threading
    import runyard as dg

    HERE = pathlib.Path(__file__).parent

    @dg.op
    def wait(context):
        context.log.info("before")
        (HERE / "started").write_text(str(os.getpid()))
        while not (HERE / "go").exists():
            threading.Event().wait(0.02)
        context.log.info("after")

    @dg.job
    def job():
        wait()

    defs = dg.Definitions(jobs=[job])
"""


#: Its op does what its body says.
def one_op(body: str, *, head: str = "", tail: str = "") -> str:
    lines = "\n".join(f"        {line}" for line in body.strip().splitlines())
    return f"""
    import os, pathlib, signal, sys, threading
    import runyard as dg
    HERE = pathlib.Path(__file__).parent
    {head}

    @dg.op
    def act(context):
{lines}

    @dg.job
    def job():
        act()

    {tail}
    defs = dg.Definitions(jobs=[job])
"""
