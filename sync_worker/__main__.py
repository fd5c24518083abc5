"""`python -m sync_worker`."""

from sync_worker.cli import main

main()
