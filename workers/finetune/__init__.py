"""Supervised fine-tuning of a model on demonstrations: what in-context learning is compared with."""
