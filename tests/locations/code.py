"""Code locations that tests use."""

from __future__ import annotations

import textwrap

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


#: What the code of jobs with several steps begins with: ``gate`` tells that it is there, then waits for ``go``.
STEPS = """
    import os, pathlib, signal, threading
    import runyard as dg

    HERE = pathlib.Path(__file__).parent

    def gate(name, go=None):
        (HERE / f"{name}.new").write_text(str(os.getpid()))
        (HERE / f"{name}.new").rename(HERE / name)
        while not (HERE / (go or f"go-{name}")).exists():
            threading.Event().wait(0.01)
"""


def steps(code: str, *, executor: str = "dg.multiprocess_executor") -> str:
    """A job named ``job`` whose ops and body ``code`` defines, the body as the function ``body``."""
    return f"""{STEPS}
{textwrap.indent(textwrap.dedent(code).strip(), "    ")}

    job = dg.job(name="job", executor_def={executor})(body)
    defs = dg.Definitions(jobs=[job])
"""
