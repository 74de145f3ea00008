"""Window, command line or worker: decided before Qt or any framework is imported."""

from __future__ import annotations

import os
import sys

COMMANDS = frozenset(
    {"summary", "graph", "routes", "convert", "compare", "bench", "devices", "formats", "doctor", "integrate"}
)


def main(arguments: list[str] | None = None) -> int:
    """Run what the arguments ask for; gives the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["--worker"]:
        from inspector.worker.main import main as worker

        return worker(arguments[1:])
    if arguments and (arguments[0] in COMMANDS or is_option(arguments[0])):
        from inspector.cli.main import main as command_line

        return command_line(arguments)
    from inspector.app.main import main as window

    return window(arguments)


def is_option(argument: str) -> bool:
    """Whether an argument is an option; a file may have a name like one, and `--` says that files follow."""
    return argument.startswith("-") and argument != "--" and not os.path.lexists(argument)


if __name__ == "__main__":
    sys.exit(main())
