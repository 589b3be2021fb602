"""The services that a config pays, and whether it knows what they cost."""

from collections.abc import Callable, Iterator

from pydantic import BaseModel

from configs.errors import InputError
from configs.schema.evaluation import EvaluationConfig
from configs.schema.model import AnyModelConfig, ServedModelConfig
from configs.schema.run import RunConfig
from configs.schema.service import ServiceConfig
from workers.prompt import Completion
from workers.service.reply import dollars

_PRICES = ("dollars_per_million_prompt_tokens", "dollars_per_million_new_tokens")


def services(config: object, name: str = "") -> Iterator[tuple[str, ServiceConfig]]:
    """Every service in a config, by the dotted name of its knobs."""
    if isinstance(config, ServiceConfig):
        yield name, config
    elif isinstance(config, BaseModel):
        for knob in type(config).model_fields:
            yield from services(getattr(config, knob), f"{name}.{knob}" if name else knob)
    elif isinstance(config, tuple | list):
        for number, item in enumerate(config):
            yield from services(item, f"{name}[{number}]")


def price_of(model: AnyModelConfig) -> Callable[[Completion], float | None] | None:
    """What a completion of this model costs, in dollars, were nothing of its prompt in the server's cache; None for a
    model that we run ourselves."""
    if not isinstance(model, ServedModelConfig):
        return None
    service = model.service.model_copy(update={"batch": None})  # completions are asked for one by one
    return lambda completion: dollars(completion.prompt_tokens, 0, completion.new_tokens, service)


def missing_prices(config: BaseModel) -> list[str]:
    """The knobs to give for the dollars of every service to be known."""
    return [
        f"{name}.{price}" for name, service in services(config) for price in _PRICES if getattr(service, price) is None
    ]


def refuse_unknown_prices(config: RunConfig | EvaluationConfig) -> None:
    """Raises InputError where a config with a budget in dollars has a service without prices."""
    if config.budget.dollars is not None and (missing := missing_prices(config)):
        raise InputError(f"budget.dollars needs the prices of every service: give {' and '.join(missing)}")
