"""What the engine and the strategies cost and find, measured."""
