"""`python -m rvae.cli`."""

from rvae.cli.main import main

main()
