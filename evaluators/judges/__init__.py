"""One judge a file: prompts of MT-Bench and AlpacaEval, rubrics, metrics, reward models, functions."""
