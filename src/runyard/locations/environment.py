"""The environment that a location's processes get. They start in another directory than the caller's, so relative
paths in it are made absolute first.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

#: Variables that hold directories separated by ``os.pathsep``; an empty entry is the current directory.
SEARCH_PATHS = ("PYTHONPATH", "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
#: Variables that hold one path.
SINGLE_PATHS = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPYCACHEPREFIX", "PYTHONUSERBASE", "TMPDIR")


def inherited_environment(env: Mapping[str, str], directory: str) -> dict[str, str]:
    """``env`` with the paths that interpreters and the system look in made absolute, from ``directory`` on."""
    changed = {name: _absolute(env[name], directory) for name in SINGLE_PATHS if env.get(name)}
    for name in SEARCH_PATHS:
        if env.get(name):
            changed[name] = os.pathsep.join(_absolute(entry, directory) for entry in env[name].split(os.pathsep))
    return {**env, **changed}


def callers_environment() -> dict[str, str]:
    """This process's environment as its children are to have it."""
    try:
        directory = os.getcwd()  # noqa: PTH109 - text, as the variables are
    except FileNotFoundError:
        # The directory was deleted: no relative path means anything any more.
        return dict(os.environ)
    return inherited_environment(os.environ, directory)


def _absolute(path: str, directory: str) -> str:
    return os.path.normpath(os.path.join(directory, path))  # noqa: PTH118 - text, as the variables are
