"""Counts with the noun, or the sentence, that they belong to."""


def show_many(number: int, singular: str, plural: str | None = None) -> str:
    """`1 block`, `1,200 blocks`.

    Args:
        plural: what stands behind any number but 1; `singular` with an s where it is left out.
    """
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"
