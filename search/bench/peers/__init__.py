"""Other systems' searches beside ours, on the quickstart's model, pool, questions and judge."""
