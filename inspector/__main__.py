"""Window, command line or worker: decided before Qt or any framework is imported."""

from __future__ import annotations

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
    if arguments and (arguments[0] in COMMANDS or arguments[0] in {"-h", "--help", "--version"}):
        from inspector.cli.main import main as command_line

        return command_line(arguments)
    from inspector.app.main import main as window

    return window(arguments)


if __name__ == "__main__":
    sys.exit(main())
