"""What a host runs in beside its workspace entry: a host is adopted only by a process of the same surroundings."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping

import msgspec

from .. import __version__
from .process_mark import MARK

#: Variables that differ between two shells, sessions or starts of one service, and say nothing to user code.
_OF_THE_SHELL = frozenset(
    [
        "_",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "PS1",
        "PS2",
        "PS4",
        "PROMPT_COMMAND",
        "HISTFILE",
        "HISTSIZE",
        "HISTCONTROL",
        "LS_COLORS",
        "LESS",
        "LESSOPEN",
        "LESSCLOSE",
        "PAGER",
        "TERM",
        "COLORTERM",
        "COLUMNS",
        "LINES",
        "WINDOWID",
        "TMUX",
        "TMUX_PANE",
        "STY",
        "WINDOW",
        "VTE_VERSION",
        "GPG_TTY",
        "INSIDE_EMACS",
        "NO_COLOR",
        "FORCE_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "PY_COLORS",
        "VIRTUAL_ENV_PROMPT",
        "CONDA_PROMPT_MODIFIER",
        "DBUS_SESSION_BUS_ADDRESS",
        "XDG_SESSION_ID",
        "XDG_VTNR",
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
        "MAKE_TERMOUT",
        "MAKE_TERMERR",
        "PYTEST_CURRENT_TEST",
        "INVOCATION_ID",
        "JOURNAL_STREAM",
        "SYSTEMD_EXEC_PID",
        "MAINPID",
        "MANAGERPID",
        "NOTIFY_SOCKET",
        "WATCHDOG_PID",
        "WATCHDOG_USEC",
        "LISTEN_FDS",
        "LISTEN_PID",
        "LISTEN_FDNAMES",
        "MEMORY_PRESSURE_WATCH",
        "MEMORY_PRESSURE_WRITE",
    ]
)
_OF_THE_SHELL_BEGIN = (
    "TERM_",
    "TERMINAL_",
    "SSH_",
    "VSCODE_",
    "ITERM_",
    "KITTY_",
    "WEZTERM_",
    "ALACRITTY_",
    "GNOME_TERMINAL_",
    "KONSOLE_",
    "ZELLIJ",
    "STARSHIP_",
    "POWERLEVEL9K_",
    "BASH_FUNC_",
    "LC_TERMINAL",
    "SUPERVISOR_",
)


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """Digests, except the interpreter: an environment's values are never stored."""

    interpreter: str = ""
    environment: str = ""
    settings: str = ""

    def difference(self, other: Surroundings) -> str | None:
        """The first difference, as a noun; None when both are the same."""
        for name in ("interpreter", "environment", "settings"):
            if getattr(self, name) != getattr(other, name):
                return name
        return None


def interpreter() -> str:
    """The Python of this process, its packages' place and our version: the same by whatever link it was started."""
    version = f"{sys.version.split()[0]}, runyard {__version__}"
    return f"{os.path.realpath(sys.executable)} in {sys.prefix}, {version}"


def environment_digest(environment: Mapping[str, str]) -> str:
    """Changes when a variable does that user code may read."""
    kept = sorted((name, value) for name, value in environment.items() if not _is_of_the_shell(name))
    return digest(repr(kept).encode())


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _is_of_the_shell(name: str) -> bool:
    return name == MARK or name in _OF_THE_SHELL or name.startswith(_OF_THE_SHELL_BEGIN)
