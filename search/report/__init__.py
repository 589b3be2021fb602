"""What a run has found, for people: findings, sections and sentences, and the forms that show them."""
