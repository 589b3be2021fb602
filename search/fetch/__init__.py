"""The public files that presets read, brought from where they are published."""
