"""The toy model of the quickstart with its pool and questions, and the scripts that made them."""
