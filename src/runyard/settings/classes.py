"""The ``{module, class, config}`` form, in which the field's files name the parts of an instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import yaml

from ..core.masking import public_name
from ..core.text import did_you_mean
from .document import Source, empty_node, line_of
from .kinds import Anything, Keys, Kind, Section, Shown, Text

_FORM = Keys({"module": Text(), "class": Text(), "config": Anything()}, required=("module", "class"))
_OURS = frozenset({"dagster", "runyard"})


class Chosen(NamedTuple):
    """A class that was chosen. ``config`` is None for a class that is not ours; ``where`` is ``file:line``."""

    name: str
    module: str
    config: Section | None
    where: str


class ConfiguredClass:
    """A class by module and name.

    Our own classes are known under every module path that the field has used for them: the package itself, and its
    ``core`` and ``_core`` sub-packages.

    Parameters:
        area: the sub-package (``run_coordinator``), perhaps dotted.
        known: class name → its config.
        foreign: why another class is refused, ``{name}`` being that class; None lets it through.
    """

    def __init__(self, area: str, known: dict[str, Kind], *, foreign: str | None) -> None:
        self.known, self.foreign = known, foreign
        self.modules = [f"dagster._core.{area}", f"dagster.core.{area}", "dagster", "runyard"]

    def read(self, node: yaml.Node, at: str, source: Source) -> Chosen:
        form = _FORM.read(node, at, source)
        module, name = form.get("module"), form.get("class")
        nodes = {key.value: value for key, value in node.value}
        where = source.where(line_of(nodes["class"]))
        if name not in self.known or _package(module) not in _OURS:
            self._foreign(module, name, nodes["class"], at, source)
            return Chosen(name, module, None, where)
        self._check_module(module, nodes["module"], at, source)
        config = self.known[name].read(nodes.get("config", empty_node()), f"{at}.config", source)
        return Chosen(name, module, config, where)

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        yield from _without_config(node)
        given = {key.value: value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}
        name = given["class"].value if isinstance(given.get("class"), yaml.ScalarNode) else ""
        if "config" in given and name in self.known:
            yield from self.known[name].shown(given["config"])

    def _foreign(self, module: str, name: str, node: yaml.Node, at: str, source: Source) -> None:
        hint = did_you_mean(name, self.known)
        if hint and _package(module) in _OURS:
            raise source.error(f"{at}.class", f"there is no class '{public_name(name)}'.{hint}", line_of(node))
        if self.foreign is not None:
            raise source.error(f"{at}.class", self.foreign.format(name=public_name(f"{module}.{name}")), line_of(node))

    def _check_module(self, module: str, node: yaml.Node, at: str, source: Source) -> None:
        new, old, package, own = self.modules
        if module == package or any(module == path or module.startswith(f"{path}.") for path in (new, old, own)):
            return
        hint = did_you_mean(module, self.modules) or f" Write one of {', '.join(self.modules)}."
        raise source.error(
            f"{at}.module", f"there is no module '{public_name(module)}' that holds this class.{hint}", line_of(node)
        )


class AnyClass:
    """A class that is named but never loaded."""

    def read(self, node: yaml.Node, at: str, source: Source) -> Chosen:
        form = _FORM.read(node, at, source)
        return Chosen(form.get("class"), form.get("module"), None, source.where(line_of(node)))

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        yield from _FORM.shown(node)


def _without_config(node: yaml.Node) -> Iterator[Shown]:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value in _FORM.fields:
            yield key, None
            yield from () if key.value == "config" else _FORM.fields[key.value].shown(value)


def _package(module: str) -> str:
    return module.partition(".")[0]
