"""What does the model say? Engines, the workers that run them, and services."""

ENGINE_THREAD = "demosearch engine"
"""The name of the threads that engines live in."""
