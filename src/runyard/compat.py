"""``import dagster`` means Runyard: code written for the core of Dagster runs unchanged."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType


def alias_dagster() -> None:
    """Make ``import dagster`` mean ``runyard`` in this process, from now on. Calling it again changes nothing."""
    if sys.modules.get("dagster") is sys.modules["runyard"]:
        return
    sys.modules["dagster"] = sys.modules["runyard"]
    sys.meta_path.insert(0, _Submodules())


class _Submodules:
    """Finds ``dagster.x`` as ``runyard.x``, the same module object, or says that it is missing."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, rest = name.partition(".")
        if package != "dagster" or not rest:
            return None
        if importlib.util.find_spec(f"runyard.{rest}") is None:
            raise ModuleNotFoundError(
                f"'{name}' is missing in Runyard; import what you need from dagster itself.", name=name
            )
        return ModuleSpec(name, _Same(f"runyard.{rest}"))


class _Same(Loader):
    """A loader that hands out a module which has another name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, _spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It is executed already; the import system has given it the other name's spec."""
        module.__spec__ = self._spec
