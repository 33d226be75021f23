"""Click commands of our kind: groups that are imported when they are called, errors in one line."""

from __future__ import annotations

import importlib
import io
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import click

from ..core.errors import RunyardError
from ..core.harmless import harmless
from .terminal import CannotPrint, echo, give_up_streams, prepare_streams

_VERBOSE = "runyard.cli.verbose"


def _set_verbose(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        # meta is shared by the contexts of all levels, so the option works at each of them.
        context.meta[_VERBOSE] = True


def verbose_option() -> click.Option:
    return click.Option(
        ["--verbose"],
        is_flag=True,
        expose_value=False,
        callback=_set_verbose,
        help="Show the traceback of an error.",
    )


class Command(click.Command):
    """A command that takes ``--verbose``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(verbose_option())


class Group(click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type


class RootGroup(Group):
    """The whole program.

    Parameters:
        lazy: name → ``module:attribute`` of commands that are imported only when they are called, for the sake of
            start-up time.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy)
        self.params.append(verbose_option())

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = self.lazy.get(cmd_name)
        if target is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = target.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command)  # noqa: S101 # the table above names commands only
        return found

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the program to its end; whatever goes wrong is one line on stderr and an exit code."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        prepare_streams()
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.ClickException as error:
            code = _tell(_text_of(error), error.exit_code)
        except click.Abort:
            code = _tell("Aborted!", 1)
        except CannotPrint as lost:
            # Whoever reads a pipe may stop when he has seen enough.
            code = 1 if isinstance(lost.error, BrokenPipeError) else _tell(f"Error: {lost}", 1)
        except OSError as error:
            # Help and the version, which click prints by itself.
            code = _tell(f"Error: {CannotPrint(error)}", 1)
        give_up_streams()
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what goes wrong becomes an error in one line with exit code 1."""
        try:
            return super().invoke(ctx)
        except RunyardError as error:
            raise _failure(ctx, error, str(error)) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort, CannotPrint):
            raise
        except OSError as error:
            raise _failure(ctx, error, _refusal(error)) from error
        except UnicodeEncodeError as error:
            # Bytes of the command line that are no text come as halves of surrogate pairs, which nothing can store.
            raise _failure(ctx, error, f"{error.object!a} is not valid Unicode text.") from error
        except Exception as error:  # the program's edge: a bug is told in one line as well
            told = f"{type(error).__name__}: {error} (a fault of Runyard; --verbose shows where)"
            raise _failure(ctx, error, told) from error


def _failure(ctx: click.Context, error: Exception, message: str) -> click.ClickException:
    if ctx.meta.get(_VERBOSE):
        echo("".join(traceback.format_exception(error)), err=True, lines=True, newline=False)
    return click.ClickException(" ".join(line.strip() for line in message.splitlines()))


def _refusal(error: OSError) -> str:
    """What the operating system refused, and of what."""
    files = " and ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
    reason = error.strerror or str(error) or type(error).__name__
    return f"{files}: {reason}." if files else f"{reason}."


def _text_of(error: click.ClickException) -> str:
    # click drops escape sequences, and with them a part of what a person typed.
    error.message = harmless(error.message, lines=True)  # type: ignore[misc]  # show() has no other way in
    text = io.StringIO()
    error.show(text)
    return text.getvalue().rstrip("\n")


def _tell(text: str, code: int) -> int:
    with suppress(CannotPrint):
        echo(text, err=True, lines=True)
    return code
