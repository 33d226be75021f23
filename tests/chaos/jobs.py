"""What the chaos tests run: each op starts children that would outlive it, in sessions of their own."""

JOBS = """
import os, pathlib, signal, subprocess, threading
import runyard as dg

def leave_children():
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.pause()
        os._exit(0)
    os.wait()

def busy():
    for _ in range(10):
        threading.Event().wait(0.02)

@dg.op
def first(context):
    leave_children()
    context.log.info("first")
    busy()
    return 1

@dg.op(pool="db", retry_policy=dg.RetryPolicy(max_retries=2, delay=0.05))
def guarded(context, value):
    leave_children()
    context.log.info("guarded")
    busy()
    return value

@dg.op
def last(context, values):
    busy()
    return sum(values)

def chain():
    value = first()
    last([guarded.alias(f"guarded_{n}")(value) for n in range(3)])

one = dg.job(name="one", executor_def=dg.in_process_executor)(chain)
many = dg.job(name="many", executor_def=dg.multiprocess_executor)(chain)
defs = dg.Definitions(jobs=[one, many])
"""

INSTANCE = """
run_monitoring: {enabled: true, poll_interval_seconds: 2, max_resume_run_attempts: 1}
run_retries: {enabled: true, max_retries: 1}
concurrency:
  runs: {max_concurrent_runs: 10}
  pools: {granularity: op, default_limit: 3}
"""
