"""How rules, demonstrations and a question are spelled as the text that a model reads."""
