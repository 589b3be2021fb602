"""What several strategies are made of: races, eliminations, leaderboards, embeddings."""
