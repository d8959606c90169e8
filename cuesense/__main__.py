"""``python -m cuesense``, and what the command ``cuesense`` starts."""

import sys
from typing import NoReturn

from cuesense.cli.signals import end_once, exit_code
from cuesense.inference.threads import limit_spinning


def main() -> NoReturn:
    """Run the command line, which may be interrupted while it is still being imported."""
    try:
        end_once()
        limit_spinning()
        from cuesense.cli.app import main as run

        run()
    except KeyboardInterrupt as interruption:
        sys.stderr.write("cuesense: interrupted; nothing was written.\n")
        sys.exit(exit_code(interruption))


if __name__ == "__main__":
    main()
