"""`make demo`: starts `runyard dev` on this example with the weather station beside it, and says where to look."""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent.absolute()
HOME = HERE.parents[1] / ".demo" / "weather"
START_LIMIT = 60  # seconds


def say(text: str) -> None:
    """One line of progress."""
    print(f"[demo] {text}", flush=True)


def prepare(home: Path) -> dict[str, str]:
    """Make the home and link the example's instance file into it; returns the environment of both processes."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    instance_file = home / "runyard.yaml"
    instance_file.unlink(missing_ok=True)
    instance_file.symlink_to(HERE / "runyard.yaml")
    return {**os.environ, "RUNYARD_HOME": str(home), "WEATHER_DATA": str(home / "data")}


def refuse_used_port(port: int) -> None:
    """Raises SystemExit when something listens there already."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            sys.exit(f"Port {port} is in use. Stop what listens there, or choose another one: make demo PORT=3001")


def start_runyard(port: int, env: dict[str, str]) -> subprocess.Popen[bytes]:
    """`runyard dev` in a session of its own: a Ctrl-C reaches it once, passed on by us."""
    runyard = Path(sys.executable).with_name("runyard")
    command = [str(runyard), "dev", "-w", str(HERE / "workspace.yaml"), "-p", str(port)]
    return subprocess.Popen(command, env=env, cwd=HERE, start_new_session=True)


def start_station(env: dict[str, str]) -> subprocess.Popen[bytes]:
    """The process that drops the files."""
    return subprocess.Popen([sys.executable, "-m", "weather.station"], env=env, cwd=HERE, start_new_session=True)


def ready(url: str) -> bool:
    """Whether every daemon passes its health check."""
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def wait_until_ready(url: str, runyard: subprocess.Popen[bytes]) -> None:
    """Raises SystemExit when Runyard ends first or does not answer in time."""
    deadline = time.monotonic() + START_LIMIT
    while not ready(url):
        if runyard.poll() is not None:
            sys.exit(f"[demo] runyard dev ended with exit code {runyard.returncode}; its last lines say why.")
        if time.monotonic() > deadline:
            sys.exit(f"[demo] runyard dev does not answer at {url} after {START_LIMIT} s.")
        time.sleep(0.1)


def guide(url: str, home: Path) -> None:
    """What to look at."""
    say("Runyard is up. The weather station now drops one day's file a second.")
    say(f"  files land in      {home / 'data' / 'landing'}")
    say(f"  reports appear in  {home / 'data' / 'reports'}")
    say("What you should see: twelve old months wait at priority -1; each new file overtakes them; a report every")
    say("minute overtakes both; never more than two runs at a time, because they share one database.")
    say("Ctrl-C stops everything. The next `make demo` goes on from here; `make demo FRESH=1` starts over.")
    say(f"open {url}/queue")


def pass_signals_on(runyard: subprocess.Popen[bytes], stopping: threading.Event) -> None:
    """Ctrl-C, a kill and a closed terminal all end Runyard properly."""

    def forward(number: int, _frame: object) -> None:
        stopping.set()
        runyard.send_signal(signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)


def main() -> int:
    """Returns the exit code: 0 when a person stopped it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--home", type=Path, default=HOME, help="default: %(default)s")
    parser.add_argument("--fresh", action="store_true", help="forget earlier demonstrations")
    options = parser.parse_args()
    home, url = options.home.absolute(), f"http://127.0.0.1:{options.port}"
    refuse_used_port(options.port)
    if options.fresh:
        shutil.rmtree(home, ignore_errors=True)
    say(f"Starting runyard dev on examples/weather; its home is {home}")
    env = prepare(home)
    stopping = threading.Event()
    children = [runyard := start_runyard(options.port, env)]
    pass_signals_on(runyard, stopping)
    try:
        wait_until_ready(url, runyard)
        children.append(start_station(env))
        guide(url, home)
        code = runyard.wait()
        return 0 if stopping.is_set() else code
    finally:
        for child in reversed(children):
            if child.poll() is None:
                child.terminate()
            child.wait()


if __name__ == "__main__":
    sys.exit(main())
