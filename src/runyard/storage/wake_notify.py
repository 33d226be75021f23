"""Hints between machines: NOTIFY on PostgreSQL, on connections of their own.

A NOTIFY inside a transaction would make its commit wait for every other one that notifies.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from ..core.ids import new_id
from .postgres import PostgresDatabase

_log = logging.getLogger("runyard.storage")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


class NotifyHints:
    """Sends on one thread and listens on another; each connects again, with growing pauses, when it is cut off."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._channel = f"{database.schema}_wake"
        self._sender_id = new_id()
        self._guard = threading.Condition()
        self._topics: dict[str, None] = {}
        self._closed = False
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sending = False

    def send(self, topic: str) -> None:
        with self._guard:
            if self._closed:
                return
            # Topics that wait while the connection is busy are sent once.
            self._topics[topic] = None
            self._guard.notify()
            if not self._sending:
                self._sending = True
                self._start(self._send_all, "runyard-notify")

    def receive(self, callback: Callable[[str], None]) -> None:
        self._start(lambda: self._listen(callback), "runyard-listen")

    def _start(self, target: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _send_all(self) -> None:
        self._with_connection(self._send_loop)

    def _send_loop(self, connection: psycopg.Connection[Any]) -> None:
        while True:
            with self._guard:
                self._guard.wait_for(lambda: self._topics or self._closed)
                if not self._topics:
                    return
                topic = next(iter(self._topics))
            connection.execute("SELECT pg_notify(%s, %s)", (self._channel, f"{self._sender_id} {topic}"))
            with self._guard:
                self._topics.pop(topic, None)

    def _listen(self, callback: Callable[[str], None]) -> None:
        self._with_connection(lambda connection: self._listen_loop(connection, callback))

    def _listen_loop(self, connection: psycopg.Connection[Any], callback: Callable[[str], None]) -> None:
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
        while not self._closed:
            for notification in connection.notifies(timeout=0.5):
                sender, _, topic = notification.payload.partition(" ")
                if sender != self._sender_id:
                    callback(topic)

    def _with_connection(self, work: Callable[[psycopg.Connection[Any]], None]) -> None:
        pause = _FIRST_PAUSE
        while not self._closed:
            connected = self._work_until_cut(work)
            pause = _FIRST_PAUSE if connected else min(pause * 2, _LONGEST_PAUSE)
            self._closing.wait(pause)

    def _work_until_cut(self, work: Callable[[psycopg.Connection[Any]], None]) -> bool:
        """False when there was no connecting at all."""
        connected = False
        try:
            with self._database.connect() as connection:
                connected = connection.autocommit = True
                work(connection)
        except psycopg.Error as error:
            _log.warning("Wake-ups over PostgreSQL are interrupted and will be taken up again: %s", error)
        return connected

    def close(self) -> None:
        with self._guard:
            self._closed = True
            self._guard.notify_all()
        self._closing.set()
        for thread in self._threads:
            thread.join(timeout=5.0)
