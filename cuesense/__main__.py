"""``python -m cuesense``."""

from cuesense.cli import main

main()
