"""Parses the command line and runs one command."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import NoReturn, Protocol, cast

from inspector import __version__
from inspector.errors import Cancelled, InspectorError
from inspector.log import to_stderr

COMMANDS = {
    "summary": "layers, shapes, parameters and multiply-adds of a model",
    "graph": "draw a model's graph into a file",
    "routes": "to which formats a model can be converted, and how",
    "convert": "convert a model and prove the result",
    "compare": "run the same inputs through two models",
    "bench": "measure models on the devices of this machine",
    "devices": "the devices of this machine, and why some are missing",
    "formats": "the formats that can be opened",
    "doctor": "check this installation",
    "integrate": "add Inspector to the desktop: menu, icons, double-click",
}


OPTIONS = ("-h", "--help", "--version")
"""What may stand in front of, or instead of, a command."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors read like all others: one sentence and one hint."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        raise InspectorError(f"{message[:1].upper()}{message[1:]}.", f"See: {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """The whole grammar."""
    top = Parser(
        prog="inspector",
        description="Open a neural-network file, see what it is, convert it, prove it, measure it.",
        epilog="Without a command, inspector [FILES…] opens the window. Exit status: 0 done, or the same model;"
        " 1 different, or nothing proved; 2 an error, said in one sentence.",
    )
    top.add_argument("--version", action="version", version=f"inspector {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, what in COMMANDS.items():
        command = commands.add_parser(name, help=what, description=what[:1].upper() + what[1:] + ".")
        command.add_argument("-v", "--verbose", action="store_true", help="print the workers' log and error details")
        module(name).add(command)
    return top


class Command(Protocol):
    """What a module of a command holds."""

    def add(self, parser: argparse.ArgumentParser) -> None:
        """Add its arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; gives the exit status."""


def module(name: str) -> Command:
    """The module of a command; only the one that runs imports what it needs, inside its `run`."""
    return cast("Command", import_module(f"inspector.cli.{name}_command"))


def main(arguments: list[str]) -> int:
    """Run one command and give its exit status."""
    verbose = "-v" in arguments or "--verbose" in arguments
    try:
        if arguments[0].startswith("-") and arguments[0] not in OPTIONS:
            raise InspectorError(
                f"There is no option {shortened(arguments[0])}.",
                "See: inspector --help. A file of such a name is opened by: inspector -- FILE",
            )
        args = parser().parse_args(arguments)
        to_stderr(10 if args.verbose else 30)
        status = module(args.command).run(args)
        sys.stdout.flush()
        return status
    except (Cancelled, KeyboardInterrupt):
        print("Cancelled.", file=sys.stderr)
        return 2
    except InspectorError as error:
        print(f"error: {error.what}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        if verbose and (details := getattr(error, "details", "")):
            print(details, file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read has gone; what Python still holds back has nowhere to go either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except OSError as error:
        where = f": {shortened(str(error.filename))}" if error.filename else ""
        print(f"error: {error.strerror or error}{where}.", file=sys.stderr)
        print("hint: Check the path and what may be done there.", file=sys.stderr)
        return 2


def shortened(text: str) -> str:
    """A name that fits into a sentence."""
    return text if len(text) <= 100 else f"{text[:60]}…{text[-30:]}"
