"""How good is this prompt? Answers and verdicts, each paid for once."""
