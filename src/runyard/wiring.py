"""The only composition root: builds an instance and the services of a control process from configuration."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from .core.daemon import DaemonType
from .core.errors import StorageUnavailable
from .core.ids import new_id
from .core.process import ProcessRecord
from .daemons.run_monitor import RunMonitorDaemon
from .daemons.run_queue.daemon import RunQueueDaemon
from .daemons.scheduler import SchedulerDaemon
from .daemons.sensor import SensorDaemon
from .launchers.local import LocalLauncher
from .locations.api import Workspace
from .locations.processes import machine_name, started_at
from .locations.runtime_dir import runtime_dir
from .locations.target import WorkspaceTarget
from .locations.workspace import LocalWorkspace
from .operations.cancel import CANCEL_TOPIC
from .operations.daemon_status import required_daemons
from .operations.instance import Instance, open_instance
from .operations.instigators import INSTIGATORS_TOPIC
from .operations.processes import daemons_host, serving
from .service.canceler import Canceler
from .service.daemon import Daemon
from .service.host_supervisor import HostSupervisor
from .service.instance_file import InstanceFile
from .service.loop import DaemonLoop
from .service.presence import Presence
from .service.pulse import Pulse
from .service.resumer import RESUME_TOPIC, Resumer
from .settings.instance import InstanceSettings

__all__ = ["Control", "Instance", "open_instance", "open_workspace"]

logger = logging.getLogger(__name__)


def open_workspace(
    instance: Instance, target: WorkspaceTarget, *, preferred: Callable[[str], str | None] = lambda _: None
) -> Workspace:
    """The code locations of ``target``: running hosts are adopted, others started when the workspace is.

    ``preferred``: the id of the host that a location is to take though it runs in another environment, if any.
    """
    settings = instance.settings
    return LocalWorkspace(
        target,
        stores=instance.stores,
        storage=settings.storage,
        compute_logs_dir=settings.compute_logs_dir,
        outputs_dir=settings.outputs_dir,
        python_logs=settings.python_logs,
        runtime_dir=runtime_dir(settings.home),
        clock=instance.clock,
        startup_timeout=settings.code_servers.local_startup_timeout,
        preferred=preferred,
    )


def _new_canceler(instance: Instance, workspace: Workspace) -> Canceler:
    return Canceler(
        runs=instance.stores.runs,
        hosts=instance.stores.hosts,
        wakeups=instance.stores.wakeups,
        locations=workspace,
        clock=instance.clock,
        kill_after=instance.settings.kill_after,
    )


@contextmanager
def canceling(instance: Instance, workspace: Workspace) -> Iterator[None]:
    """For a command that follows a run which it started: inside, cancels by whomever reach the run's worker.

    A control process need not be there, and if it is, its environment may have made it another host's.
    """
    canceler = _new_canceler(instance, workspace)
    end_listening = instance.stores.wakeups.listen(lambda topic: canceler.wake() if topic == CANCEL_TOPIC else None)
    canceler.start()
    try:
        yield
    finally:
        end_listening()
        canceler.stop()


def daemons_hosts(instance: Instance) -> Callable[[str], str | None]:
    """For those who launch nothing themselves: the hosts that execute what they enqueue."""
    return lambda name: daemons_host(instance.stores, name, clock=instance.clock)


class Control:
    """The control process without its pages: workspace, daemons, pulse and what looks after hosts."""

    def __init__(
        self, instance: Instance, target: WorkspaceTarget, *, daemons: bool = True, command: str = "runyard"
    ) -> None:
        self.instance = instance
        self._command = command
        self._address: str | None = None
        self._started_at = instance.clock.now()
        #: Called when settings of an edited instance file have taken effect, with a sentence.
        self.on_settings: Callable[[str], None] = logger.info
        self.workspace = (
            open_workspace(instance, target)
            if daemons
            else open_workspace(instance, target, preferred=daemons_hosts(instance))
        )
        self.process_id = f"{socket.gethostname()}:{os.getpid()}:{new_id()[:8]}"
        stores, clock = instance.stores, instance.clock
        self._loops = [DaemonLoop(daemon, clock=clock) for daemon in self._daemons()] if daemons else []
        self._pulse = Pulse(
            self._loops, leases=stores.leases, heartbeats=stores.heartbeats, clock=clock, process_id=self.process_id
        )
        self._canceler = _new_canceler(instance, self.workspace)
        self._resumer = Resumer(
            runs=stores.runs,
            leases=stores.leases,
            wakeups=stores.wakeups,
            locations=self.workspace,
            launcher=LocalLauncher(),
            process_id=self.process_id,
            clock=clock,
        )
        self._supervisor = HostSupervisor(hosts=stores.hosts, runs=stores.runs, wakeups=stores.wakeups, clock=clock)
        self._instance_file = InstanceFile(
            instance.settings,
            env=os.environ,
            apply=self._configure,
            on_state=self._settings_moved,
            on_taken_over=lambda sections: self.on_settings(f"{', '.join(sections)} changed in the instance file"),
            clock=clock,
        )
        self._presence = Presence(stores.processes, self.described, clock=clock, on_seen=self._processes_seen)
        self._end_listening: Callable[[], None] | None = None

    def start(self, *, address: str | None = None) -> None:
        """Start everything; returns at once, locations load in the background. ``address``: where its pages are."""
        self._address = address
        self._presence.start()
        self.instance.stores.limits.configure(self.instance.settings.queue.rules)
        self.instance.stores.policies.configure(self.instance.settings.policies)
        # Not earlier: what the file says by now must not be replaced by what it said at the start.
        self._instance_file.start()
        self._end_listening = self.instance.stores.wakeups.listen(self._woken)
        self.workspace.on_change(self._location_changed)
        self.workspace.start()
        # Now with the locations that it holds.
        self._presence.say()
        if not self._loops:
            return
        self._canceler.start()
        self._resumer.start()
        self._supervisor.start()
        for loop in self._loops:
            loop.start()
        self._pulse.start()

    def stop_daemons(self) -> None:
        """End the daemons, so that nothing new starts; cancellations and workers' reports go on."""
        if self._loops:
            self._pulse.stop()
            # Whoever looks at the queue sees now that nobody will launch anything.
            self.instance.stores.wakeups.poke("queue")

    def leave(self) -> None:
        """Serve the instance no more; before the process says so, others that end leave its locations to it."""
        self._presence.end()
        # Another one publishes its locations from now on.
        self.instance.stores.wakeups.poke(LOCATIONS_TOPIC)

    def stop(self, *, terminate_hosts: bool) -> None:
        """Stop the daemons and give their leases back; hosts and their workers go on unless told otherwise.

        Hosts of locations that another process holds are never ended.
        """
        self._instance_file.stop()
        self.leave()
        if self._end_listening is not None:
            self._end_listening()
        self.stop_daemons()
        if self._loops:
            self._canceler.stop()
            self._resumer.stop()
            self._supervisor.stop()
        shared = {name for process in self.others() for name in process.locations} if terminate_hosts else set()
        self.workspace.stop(terminate_hosts=terminate_hosts, shared=shared)

    def others(self) -> list[ProcessRecord]:
        """The other processes that serve the instance; none when storage does not answer."""
        try:
            found = serving(self.instance.stores, clock=self.instance.clock)
        except StorageUnavailable as error:
            logger.warning("other processes of the instance: %s", error)
            return []
        return [process for process in found if process.process_id != self.process_id]

    def described(self) -> ProcessRecord:
        """This process as others see it."""
        return ProcessRecord(
            process_id=self.process_id,
            command=self._command,
            machine=machine_name(),
            pid=os.getpid(),
            pid_started=started_at(os.getpid()) or 0,
            home=self.instance.settings.home,
            started_at=self._started_at,
            at=self.instance.clock.now(),
            daemons=bool(self._loops),
            address=self._address,
            locations=tuple(location.name for location in self.workspace.all()),
            settings=self._instance_file.state,
        )

    def _configure(self, settings: InstanceSettings) -> None:
        """Take over what may change while everything runs."""
        self.instance.stores.limits.configure(settings.queue.rules)
        self.instance.stores.policies.configure(settings.policies)
        self.instance.settings = settings
        self._canceler.kill_after = settings.kill_after
        for loop in self._loops:
            loop.daemon.configure(settings)
            loop.wake()
        self.instance.stores.wakeups.poke("queue")

    def _settings_moved(self) -> None:
        self._presence.say()
        self.instance.stores.wakeups.poke("instance")

    def _daemons(self) -> list[Daemon]:
        settings, stores, clock = self.instance.settings, self.instance.stores, self.instance.clock
        build: dict[DaemonType, Callable[[], Daemon]] = {
            DaemonType.SCHEDULER: lambda: SchedulerDaemon(stores, self.workspace, settings, clock=clock),
            DaemonType.QUEUED_RUN_COORDINATOR: lambda: RunQueueDaemon(
                stores, self.workspace, LocalLauncher(), settings.queue, clock=clock
            ),
            DaemonType.SENSOR: lambda: SensorDaemon(stores, self.workspace, settings, clock=clock),
            DaemonType.MONITORING: lambda: RunMonitorDaemon(
                stores, self.workspace, LocalLauncher(), settings.monitoring, clock=clock
            ),
        }
        return [build[kind]() for kind in required_daemons(settings)]

    def _processes_seen(self, processes: Sequence[ProcessRecord]) -> None:
        """Of the processes that hold a location one publishes it, so that what is known of it does not alternate."""
        me = self.described()
        others = [other for other in processes if other.process_id != me.process_id and other.precedes(me)]
        self.workspace.leave_to_others({name for other in others for name in other.locations})

    def _woken(self, topic: str) -> None:
        if topic == LOCATIONS_TOPIC:
            self._presence.wake()
        elif topic == CANCEL_TOPIC:
            self._canceler.wake()
        elif topic == RESUME_TOPIC:
            self._resumer.wake()
        kinds = _WOKEN_BY.get(topic, frozenset())
        for loop in self._loops:
            if loop.daemon.type in kinds:
                loop.wake()

    def _location_changed(self, name: str) -> None:
        """New definitions concern every daemon: schedules, sensors, and runs that waited for the location."""
        logger.debug("location '%s' changed", name)
        self._presence.wake()
        self._resumer.wake()
        for loop in self._loops:
            loop.wake()
        self.instance.stores.wakeups.poke(LOCATIONS_TOPIC)


#: Code has changed in some process.
LOCATIONS_TOPIC = "locations"
_WOKEN_BY = {
    "queue": frozenset({DaemonType.QUEUED_RUN_COORDINATOR}),
    "runs": frozenset({DaemonType.MONITORING}),
    INSTIGATORS_TOPIC: frozenset({DaemonType.SCHEDULER, DaemonType.SENSOR}),
}
