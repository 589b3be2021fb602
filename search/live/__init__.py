"""How work under way is shown: progress, time left, workers, live.json."""
