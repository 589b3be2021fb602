"""`python -m search` is `demosearch`."""

from search.cli import main

main()
