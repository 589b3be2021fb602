"""What a run directory says, read and put into words, without a model, a tokenizer or a hub."""
