"""`python -m search` is `demosearch`."""

from search.cli.app import main

main()
