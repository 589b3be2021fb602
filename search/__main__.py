"""`python -m search` is `demosearch`."""

from search.cli.start import main

main()
