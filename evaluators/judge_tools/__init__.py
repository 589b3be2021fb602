"""What several judges are made of: judge prompts, chat models, ratings, rubric files, batching."""
