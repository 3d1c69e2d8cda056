"""The base of every command of ours: examples in --help, and no traceback for a user's mistake."""

import os
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pymongo.errors import OperationFailure, PyMongoError
from rich.console import Console
from rich.progress import Progress

from ecommerce.core.embedded import StoreError
from ecommerce.core.errors import DomainError
from ecommerce.core.indexes import IndexConflictError
from ecommerce.core.mongo import in_short, is_outage
from ecommerce.core.response_cache import say_the_rest

_STDERR: Final = Console(stderr=True)  # so that a bar never mixes with a command's output


class _HelpFormatter(RawDescriptionHelpFormatter):
    """Keeps the line breaks of the examples."""


class ShopCommand(BaseCommand):
    """Subclasses implement `run`; what it raises becomes one sentence and exit code 1.

    Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
    """

    examples: ClassVar[str] = ""
    """Shown under --help."""
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Add the examples to the help."""
        if self.examples:
            kwargs.update(
                epilog=f"examples:\n{self.examples.strip(chr(10))}", formatter_class=_HelpFormatter
            )
        return super().create_parser(prog_name, subcommand, **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Run, and say in one sentence what went wrong."""
        try:
            self.run(**options)
            self.stdout.flush()
        except DomainError as refusal:
            raise CommandError(_sentence(refusal)) from None
        except IndexConflictError as conflict:
            raise CommandError(
                f"Some indexes could not be made; nothing was changed by them:\n{conflict}"
            ) from None
        except StoreError as fault:
            raise CommandError(str(fault)) from None
        except PyMongoError as fault:
            raise _of_the_database(fault) from None
        except BrokenPipeError:  # who reads the output has enough: `... | head`
            # Where Python's last flush goes: it would complain of the pipe once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except OSError as fault:
            raise _of_the_system(fault) from None
        except KeyboardInterrupt:
            raise CommandError("Stopped. What was done before stays.", returncode=130) from None
        finally:
            say_the_rest()

    def run(self, **options: Any) -> None:
        """What the command does."""
        raise NotImplementedError

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar for long work, where a person is looking; yields what to call at each step."""
        with Progress(transient=True, disable=not sys.stderr.isatty(), console=_STDERR) as bar:
            task = bar.add_task(label, total=total)
            yield lambda done: bar.advance(task, done)

    def ask(self, question: str) -> str:
        """What somebody types. The question is not among the output, which may go to a file.

        Raises:
            EOFError: nobody is there.
        """
        self.stderr.write(f"{question} ", style_func=str, ending="")
        self.stderr.flush()
        return input()

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before something is destroyed; `yes` is the --yes option.

        Raises:
            CommandError: the answer was not yes.
        """
        if yes:
            return
        try:
            answer = self.ask(f"{question} [y/N]")
        except EOFError:
            answer = ""
            self.stderr.write("")  # ends the line of the question
        if answer.strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was changed. Add --yes to skip this question.")


@contextmanager
def asking() -> Iterator[None]:
    """Around a question that has no answer of its own for where nobody is there.

    Raises:
        CommandError: nobody is there.
    """
    try:
        yield
    except EOFError:
        raise CommandError(
            "Nobody is there to answer a question: --help names the options that answer it."
        ) from None


def _of_the_database(fault: PyMongoError) -> CommandError:
    said = in_short(fault)
    if isinstance(fault, OperationFailure) and not is_outage(fault):
        return CommandError(
            f"The database refuses this ({said}). Check the user in MONGODB_URI and its rights; "
            "`manage.py doctor` looks closer."
        )
    return CommandError(
        f"The database does not answer ({said}). Is it running, and is MONGODB_URI right? "
        "`manage.py doctor` looks closer."
    )


def _of_the_system(fault: OSError) -> Exception:
    """The fault in a sentence; itself where the system has none, for its traceback tells more."""
    if fault.strerror is None:
        return fault
    return CommandError(f"{fault.filename or 'Input or output'}: {fault.strerror}.")


def _sentence(refusal: DomainError) -> str:
    faults = refusal.members.get("errors", [])
    details = [f"{fault['pointer'].lstrip('/')}: {fault['detail']}" for fault in faults]
    return " ".join([*details] or [refusal.detail])
