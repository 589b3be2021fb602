"""Every generation and verdict that was paid for: keys, file, writer, readers."""
