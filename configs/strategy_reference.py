"""The table of strategies, read off the schema: `python -m configs.strategy_reference`."""

from typing import get_args

from configs.schema.strategy import StrategyConfig

_HEAD = "| `strategy.kind` | what it does | judged answers it asks for | take it |\n|---|---|---|---|"


def strategy_table() -> str:
    """Return a line for each kind, in Markdown, in the order of the schema."""
    lines = [_HEAD]
    for member in get_args(get_args(StrategyConfig)[0]):
        (kind,) = get_args(member.model_fields["kind"].annotation)
        lines.append("| " + " | ".join([f"`{kind}`", *member.summary]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(strategy_table())
