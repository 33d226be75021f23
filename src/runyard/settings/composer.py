"""YAML text as nodes, within bounds: a short text can stand for more values than any memory holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import yaml

from ..core.errors import ConfigError

#: Values of a document, those behind an alias counted as often as it is used, and levels of nesting.
MOST_VALUES = 100_000
DEEPEST = 100
#: Characters of a whole number. Python writes none of over 4,300 digits as text, and the time to read one in base 60
#: grows with the square of its length.
LONGEST_INTEGER = 1000
_INTEGER = "tag:yaml.org,2002:int"

#: By libyaml where PyYAML was built with it: it reads several times as fast.
Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Part(NamedTuple):
    """A finished node, how many values it stands for, and how many levels deep it is."""

    node: yaml.Node
    values: int
    levels: int


class _Open:
    """A list or mapping whose end has not come yet."""

    def __init__(self, node: yaml.CollectionNode, anchor: str | None) -> None:
        self.node, self.anchor = node, anchor
        self.values, self.levels = 1, 1
        self.key: yaml.Node | None = None

    def add(self, part: _Part) -> None:
        self.values += part.values
        if part.levels >= self.levels:
            self.levels = part.levels + 1
        if isinstance(self.node, yaml.SequenceNode):
            self.node.value.append(part.node)
        elif self.key is None:
            self.key = part.node
        else:
            self.node.value.append((self.key, part.node))
            self.key = None


class Composer:
    """Makes the nodes of a text's only document.

    Parameters:
        loader: a ``Loader`` of the text. PyYAML's stubs do not know its methods, nor the marks of libyaml's events.
        finish: sees each mapping when it is complete.
    """

    def __init__(self, loader: Any, file: str, finish: Callable[[yaml.MappingNode], None]) -> None:
        self._loader, self._file, self._finish = loader, file, finish
        self._open: list[_Open] = []
        self._anchors: dict[str, _Part | None] = {}
        self._root: yaml.Node | None = None
        self._values = 0

    def document(self) -> yaml.Node | None:
        """The root; None when the text is empty.

        Raises:
            ConfigError: more than the bounds allow, an anchor inside itself, or a second document.
            yaml.YAMLError: malformed YAML.
        """
        documents = 0
        while not isinstance(event := self._loader.get_event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end(event)
            elif isinstance(event, yaml.AliasEvent):
                self._add(self._aliased(event), event)
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._error("malformed YAML: expected a single document in the file.", event)
        return self._root

    def _scalar(self, event: Any) -> None:
        tag = self._tag(yaml.ScalarNode, event.tag, event.value, event.implicit)
        if tag == _INTEGER and len(event.value) > LONGEST_INTEGER:
            most, found = f"{LONGEST_INTEGER:,}", f"{len(event.value):,}"
            raise self._error(f"a whole number may have {most} characters; this one has {found}.", event)
        node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark, style=event.style)
        part = _Part(node, 1, 0)
        if event.anchor is not None:
            self._anchors[event.anchor] = part
        self._add(part, event)

    def _begin(self, event: Any) -> None:
        kind = yaml.SequenceNode if isinstance(event, yaml.SequenceStartEvent) else yaml.MappingNode
        tag = self._tag(kind, event.tag, None, event.implicit)
        node = kind(tag, [], event.start_mark, event.end_mark, flow_style=event.flow_style)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Open(node, event.anchor))
        if len(self._open) > DEEPEST:
            raise self._too_deep(event)

    def _tag(self, kind: type[yaml.Node], tag: str | None, value: str | None, implicit: object) -> str:
        return str(self._loader.resolve(kind, value, implicit)) if tag is None or tag == "!" else tag

    def _aliased(self, event: yaml.AliasEvent) -> _Part:
        if event.anchor not in self._anchors:
            raise self._error("malformed YAML: undefined alias; put a value that begins with * between quotes.", event)
        part = self._anchors[event.anchor]
        if part is None:
            raise self._error("malformed YAML: an anchor contains itself.", event)
        if len(self._open) + part.levels > DEEPEST:
            raise self._too_deep(event)
        return part

    def _end(self, event: yaml.CollectionEndEvent) -> None:
        done = self._open.pop()
        done.node.end_mark = event.end_mark
        if isinstance(done.node, yaml.MappingNode):
            self._finish(done.node)
        part = _Part(done.node, done.values, done.levels)
        if done.anchor is not None:
            self._anchors[done.anchor] = part
        # Its values were counted one by one as they came.
        self._values -= part.values - 1
        self._add(part, event)

    def _add(self, part: _Part, event: yaml.Event) -> None:
        self._values += part.values
        if self._values > MOST_VALUES:
            raise self._error(
                f"the file holds more than {MOST_VALUES:,} values; one behind an alias counts each time it is used.",
                event,
            )
        if self._open:
            self._open[-1].add(part)
        else:
            self._root = part.node

    def _too_deep(self, event: yaml.Event) -> ConfigError:
        return self._error(f"nested too deeply: more than {DEEPEST} levels.", event)

    def _error(self, message: str, event: yaml.Event) -> ConfigError:
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        return ConfigError(message, file=self._file, line=line, column=column)
