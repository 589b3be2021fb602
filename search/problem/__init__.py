"""What is searched: pool, candidates, space, questions and their split, decodings, trials."""
