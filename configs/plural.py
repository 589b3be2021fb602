"""Counts with the noun, or the sentence, that they belong to."""


def show_many(number: int, one: str, more: str | None = None) -> str:
    """`1 block`, `1,200 blocks`.

    Args:
        more: what stands behind any other number; `one` with an s where it is left out.
    """
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"
