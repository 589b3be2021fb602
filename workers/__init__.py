"""What does the model say? Engines, the workers that run them, and services."""
