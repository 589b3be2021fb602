"""One client of OpenAI-compatible services: connections, retries, concurrency, batches, prices."""
