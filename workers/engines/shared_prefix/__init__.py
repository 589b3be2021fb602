"""Parts of the transformers engine: from a prompt's text to a completion's, one noun a file."""
