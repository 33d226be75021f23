"""What a configuration key may hold: small declarative kinds that the schemas of our files are made of."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

import yaml

from ..core.errors import ConfigError
from ..core.masking import MASK, is_host, public_name, public_url, url_parts_are_clear
from ..core.text import did_you_mean
from .document import Source, is_null, line_of, plain

T = TypeVar("T")
#: So many keys are listed beside the nearest one.
_FEW = 10


#: A scalar of the file, and what is shown of it; None: it is shown as it is written.
Shown = tuple[yaml.ScalarNode, str | None]


class Kind(Protocol):
    """A kind of value.

    ``read`` raises ConfigError, naming key path, file and line, for anything else. ``shown`` gives the scalars that are
    no secrets, its keys among them; those that it leaves out are not shown.
    """

    def read(self, node: yaml.Node, at: str, source: Source) -> Any: ...

    def shown(self, node: yaml.Node) -> Iterator[Shown]: ...


class Section:
    """A mapping that was read: the keys that were given, with their values and lines."""

    def __init__(self, at: str, values: dict[str, Any], lines: dict[str, int], source: Source) -> None:
        self.at, self.values, self.lines, self._source = at, values, lines, source

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def where(self, key: str) -> str | None:
        """``file:line`` of the key; None when it was not given."""
        return self._source.where(self.lines[key]) if key in self.lines else None

    def path(self, key: str) -> str:
        return joined(self.at, key)

    def error(self, key: str, message: str) -> ConfigError:
        """The error for a key that was given."""
        return self._source.error(self.path(key), message, self.lines[key])

    def note(self, key: str, sentence: str) -> None:
        """Say that a key that was given changes nothing, or not what it seems to."""
        self._source.note(self.path(key), sentence, self.lines[key])


def joined(at: str, key: str) -> str:
    """The path of a key below ``at``, as errors and notes repeat it."""
    return f"{at}.{public_name(key)}" if at else public_name(key)


class Scalar(ABC, Generic[T]):
    """A single value, or ``{env: NAME}`` for one that an environment variable holds."""

    noun = "a value"

    def read(self, node: yaml.Node, at: str, source: Source) -> T:
        if isinstance(node, yaml.MappingNode):
            return self._from_variable(node, at, source)
        value = plain(node, source.file, at)
        if not self.accepts(value):
            raise source.error(at, f"expected {self.noun}{self.got(value)}.", line_of(node))
        return self.convert(value)

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        if isinstance(node, yaml.ScalarNode):
            yield node, self.text_shown(node.value) if self.accepts(plain(node, "")) else MASK
        elif isinstance(node, yaml.MappingNode) and [key.value for key, _ in node.value] == ["env"]:
            # The name of a variable, not what it holds.
            yield from ((part, None) for part in node.value[0] if isinstance(part, yaml.ScalarNode))

    def text_shown(self, text: str) -> str | None:
        """What is shown of a value; None: all of it."""
        return None if public_name(text) == text else MASK

    def got(self, value: Any) -> str:
        """How an error goes on about a value that is none of these."""
        return f", got {described_value(value)}"

    def _from_variable(self, node: yaml.MappingNode, at: str, source: Source) -> T:
        given = plain(node, source.file, at)
        if list(given) != ["env"] or not isinstance(given["env"], str):
            raise source.error(at, f"expected {self.noun} or {{env: NAME}}, got a mapping.", line_of(node))
        name = given["env"]
        if name not in source.env:
            raise source.error(at, f"the environment variable {name} is not set.", line_of(node))
        try:
            value = self.parse(source.env[name])
        except ValueError:
            value = None
        if not self.accepts(value):
            raise source.error(at, f"the environment variable {name} does not hold {self.noun}.", line_of(node))
        return self.convert(value)

    @abstractmethod
    def accepts(self, value: Any) -> bool:
        """Whether a plain value is one of these."""

    def parse(self, text: str) -> Any:
        """The value that an environment variable's text stands for; ValueError when it stands for none."""
        return text

    def convert(self, value: Any) -> T:
        return value  # type: ignore[no-any-return]  # accepts() has looked at its type


class Text(Scalar[str]):
    """A string that is not empty."""

    noun = "a string"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and value != ""


class Secret(Text):
    """A string that is not repeated anywhere."""

    def text_shown(self, text: str) -> str | None:  # noqa: ARG002  whatever it is
        return MASK

    def got(self, value: Any) -> str:  # noqa: ARG002  a number may be a password
        return ""


class Url(Secret):
    """A database URL."""

    noun = (
        "a URL like postgresql://user:password@host:5432/database, with %40 for @, %2F for / and %3F for ? "
        "in user and password"
    )

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and value.startswith(("postgresql", "postgres")) and url_parts_are_clear(value)

    def text_shown(self, text: str) -> str | None:
        return public_url(text)


class Host(Text):
    """A host, which stands in a URL of ours; an address pasted here may hold a password."""

    noun = "a host name or address alone, such as db.example.com"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and is_host(value)

    def got(self, value: Any) -> str:  # noqa: ARG002  as above
        return ""


class Flag(Scalar[bool]):
    noun = "true or false"
    _words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}  # noqa: RUF012 # never changed

    def accepts(self, value: Any) -> bool:
        return isinstance(value, bool)

    def parse(self, text: str) -> Any:
        return self._words.get(text.strip().lower())


class Integer(Scalar[int]):
    """A whole number from ``minimum`` to ``maximum``."""

    def __init__(self, minimum: int | None = None, maximum: int | None = None) -> None:
        self.minimum, self.maximum = minimum, maximum
        self.noun = "an integer" + _bounds(minimum, maximum)

    def accepts(self, value: Any) -> bool:
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        above = self.minimum is None or value >= self.minimum
        return above and (self.maximum is None or value <= self.maximum)

    def parse(self, text: str) -> Any:
        return int(text.strip())


class Number(Scalar[float]):
    """Seconds or the like: a finite number of at least ``minimum``, or of more than that when ``above``, and of at most
    ``maximum``.
    """

    def __init__(self, minimum: float = 0, maximum: float | None = None, *, above: bool = False) -> None:
        self.minimum, self.maximum, self.above = minimum, maximum, above
        self.noun = f"a number above {minimum}" if above else f"a number of at least {minimum}"
        self.noun += "" if maximum is None else f" and at most {maximum}"

    def accepts(self, value: Any) -> bool:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return False
        # No NaN either, and no integer that is too large to become a float.
        most = sys.float_info.max if self.maximum is None else self.maximum
        return -most <= value <= most and self._is_above(value)

    def _is_above(self, value: float) -> bool:
        return value > self.minimum if self.above else value >= self.minimum

    def parse(self, text: str) -> Any:
        return float(text.strip())

    def convert(self, value: Any) -> float:
        return float(value)


class Choice(Scalar[str]):
    """One of a few words."""

    def __init__(self, *options: str) -> None:
        self.options = options
        self.noun = "one of " + ", ".join(options)

    def accepts(self, value: Any) -> bool:
        return value in self.options


class Anything:
    """Any plain YAML value; it has no effect here, so its inside is not looked at, nor shown."""

    def read(self, node: yaml.Node, at: str, source: Source) -> Any:
        return plain(node, source.file, at)

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        yield from hidden(node)


class Maybe:
    """The kind, or nothing at all: the same as leaving the key out."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def read(self, node: yaml.Node, at: str, source: Source) -> Any:
        return None if is_null(node) else self.kind.read(node, at, source)

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        yield from self.kind.shown(node)


class Listing:
    """A list of one kind; an empty key is an empty list."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def read(self, node: yaml.Node, at: str, source: Source) -> list[Any]:
        if is_null(node):
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise source.error(at, f"expected a list, got {_described(node)}.", line_of(node))
        return [self.kind.read(item, f"{at}[{index}]", source) for index, item in enumerate(node.value)]

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        for item in node.value if isinstance(node, yaml.SequenceNode) else ():
            yield from self.kind.shown(item)


class Dictionary:
    """A mapping with keys of the user's own and plain values."""

    def read(self, node: yaml.Node, at: str, source: Source) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise source.error(at, f"expected a mapping, got {_described(node)}.", line_of(node))
        return {key.value: plain(value, source.file, joined(at, key.value)) for key, value in node.value}

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        yield from hidden(node)


class Named:
    """A mapping with names of the user's own, each with a value of one kind.

    ``fault`` says as a clause what is wrong with a name; None of it: nothing.
    """

    def __init__(self, kind: Kind, fault: Callable[[str], str | None] = lambda _: None) -> None:
        self.kind, self._fault = kind, fault

    def read(self, node: yaml.Node, at: str, source: Source) -> dict[str, Any]:
        if is_null(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise source.error(at, f"expected a mapping, got {_described(node)}.", line_of(node))
        return {
            self._name(key, at, source): self.kind.read(value, joined(at, key.value), source)
            for key, value in node.value
        }

    def _name(self, key: yaml.Node, at: str, source: Source) -> str:
        name: str = key.value
        fault = self._fault(name)
        if fault:
            raise source.error(at, f"{fault}.", line_of(key))
        return name

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            yield key, None if public_name(key.value) == key.value else MASK
            yield from self.kind.shown(value)


class Either:
    """``scalar`` for a single value (or ``{env: NAME}``), ``mapping`` for a mapping."""

    def __init__(self, scalar: Kind, mapping: Kind) -> None:
        self.scalar, self.mapping = scalar, mapping

    def read(self, node: yaml.Node, at: str, source: Source) -> Any:
        return self._of(node).read(node, at, source)

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        yield from self._of(node).shown(node)

    def _of(self, node: yaml.Node) -> Kind:
        is_mapping = isinstance(node, yaml.MappingNode) and [key.value for key, _ in node.value] != ["env"]
        return self.mapping if is_mapping else self.scalar


class NotYet:
    """A key of the field's that this version refuses, with the sentence that says what to do instead."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def read(self, node: yaml.Node, at: str, source: Source) -> Any:
        raise source.error(at, self.sentence, line_of(node))

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        yield from hidden(node)


class Unused:
    """A key that is checked like every other but changes nothing here, with the sentence that says so."""

    def __init__(self, kind: Kind, sentence: str) -> None:
        self.kind, self.sentence = kind, sentence

    def read(self, node: yaml.Node, at: str, source: Source) -> Any:
        value = self.kind.read(node, at, source)
        source.note(at, self.sentence, line_of(node))
        return value

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        yield from self.kind.shown(node)


class Keys:
    """A mapping with known keys.

    Parameters:
        fields: key → kind.
        required: keys that must be given.
        one_of: keys of which exactly one must be given.
        excludes: pairs of keys that exclude each other.
    """

    def __init__(
        self,
        fields: dict[str, Kind],
        *,
        required: Sequence[str] = (),
        one_of: Sequence[str] = (),
        excludes: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.fields, self.required, self.one_of, self.excludes = fields, required, one_of, excludes

    def read(self, node: yaml.Node, at: str, source: Source) -> Section:
        values: dict[str, Any] = {}
        keys: dict[str, yaml.Node] = {}
        for key_node, value_node in self._pairs(node, at, source):
            key = key_node.value
            keys[key] = key_node
            value = self._kind(key_node, at, source).read(value_node, joined(at, key), source)
            if not isinstance(self.fields[key], Unused):
                values[key] = value
        self._check(node, at, keys, source)
        return Section(at, values, {key: line_of(key_node) for key, key_node in keys.items()}, source)

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.value in self.fields:
                yield key, None
                yield from self.fields[key.value].shown(value)

    def _pairs(self, node: yaml.Node, at: str, source: Source) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        if is_null(node):
            return []
        if not isinstance(node, yaml.MappingNode):
            known = ", ".join(self.fields)
            expected = f"expected a mapping with keys of {known}" if known else "expected no keys"
            raise source.error(at, f"{expected}, got {_described(node)}.", line_of(node))
        # A merge key puts what it brings in front, so that a key of the mapping's own comes later and wins.
        return list({key.value: (key, value) for key, value in node.value}.values())

    def _kind(self, key_node: yaml.ScalarNode, at: str, source: Source) -> Kind:
        key = key_node.value
        if key in self.fields:
            return self.fields[key]
        hint = did_you_mean(key, self.fields)
        if not hint or len(self.fields) <= _FEW:
            hint += f" Keys here: {', '.join(self.fields)}." if self.fields else " No keys go here."
        raise source.error(joined(at, key), f"unknown key.{hint}", line_of(key_node))

    def _check(self, node: yaml.Node, at: str, given: dict[str, yaml.Node], source: Source) -> None:
        for key in self.required:
            if key not in given:
                raise source.error(joined(at, key), "missing; it is required.", line_of(node))
        if self.one_of and len(chosen := [key for key in self.one_of if key in given]) != 1:
            told = f"give exactly one of {', '.join(self.one_of)}"
            raise source.error(at, f"{told}, not {' and '.join(chosen)}." if chosen else f"{told}.", line_of(node))
        for one, other in self.excludes:
            if one in given and other in given:
                told = f"'{joined(at, one)}' and '{joined(at, other)}' exclude each other; keep one."
                raise source.error("", told, line_of(given[other]))


def hidden(node: yaml.Node) -> Iterator[Shown]:
    """All that is in a node, masked."""
    if isinstance(node, yaml.ScalarNode):
        yield node, MASK
    for part in node.value if isinstance(node, yaml.CollectionNode) else ():
        for each in part if isinstance(part, tuple) else (part,):
            yield from hidden(each)


def described_value(value: Any) -> str:
    """A value for an error message. Text is not repeated: it may be a secret that came to the wrong place."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "a string" if value else "an empty string"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    return f"{value}"


def _described(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "a mapping" if isinstance(node, yaml.MappingNode) else "a single value"


def _bounds(minimum: int | None, maximum: int | None) -> str:
    if minimum is None:
        return ""
    return f" of at least {minimum}" if maximum is None else f" from {minimum} to {maximum}"
