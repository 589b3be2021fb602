"""How rules, demonstrations and a question become the text that a model reads."""
