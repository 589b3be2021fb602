"""The report on an evaluation: prompts compared on one benchmark."""
