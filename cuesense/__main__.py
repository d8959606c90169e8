"""``python -m cuesense``."""

from cuesense.cli.app import main

main()
