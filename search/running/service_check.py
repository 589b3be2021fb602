"""The services of a config, checked before anything is spent: addresses, keys, and whether they know their models."""

import asyncio
from collections.abc import Iterator, Mapping
from os import environ

from configs.schema.evaluation import EvaluationConfig
from configs.schema.experiment import ExperimentConfig
from configs.schema.run import RunConfig
from configs.schema.service import ServiceConfig
from search.running.event_loop import in_own_loop
from search.running.prices import services

Config = RunConfig | EvaluationConfig | ExperimentConfig
_TO_COME = "to-be-exported"


def refuse_unusable_services(config: Config, environment: Mapping[str, str] = environ) -> None:
    """Raise InputError where an address, a key, a proxy or certificates cannot work: also those of the model, which is
    made when the run directory, and the config in it, already exist."""
    for _, service in services(config):
        from workers.service.access import open_access  # noqa: PLC0415 -- only where there is a service: httpx2
        from workers.service.http_client import open_client  # noqa: PLC0415

        access = open_access(service, environment)
        open_client(access.base_url, access.redactor)


def with_keys_to_come(config: Config, environment: Mapping[str, str] = environ) -> tuple[dict[str, str], list[str]]:
    """An environment in which every key of the config is set, and a sentence on each that was not.

    A dry run needs no key.
    """
    missing = {
        variable: name
        for name, service in services(config)
        for variable in _variables(service)
        if not _value(environment, variable)
    }
    sentences = [f"the run will need a key in {variable}, for {name}" for variable, name in missing.items()]
    return {**environment, **dict.fromkeys(missing, _TO_COME)}, sentences


def _value(environment: Mapping[str, str], variable: str) -> str:
    return environment.get(variable, "").strip()


def _variables(service: ServiceConfig) -> Iterator[str]:
    if service.api_key_variable is not None:
        yield service.api_key_variable
    yield from service.header_variables.values()


def service_notices(config: Config, environment: Mapping[str, str] = environ) -> list[str]:
    """Sentences on models that their services do not list, or not for long, and on services that do not answer; of
    those whose keys are there."""
    ready = {
        service.model_copy(update={"batch": None}).model_dump_json(): (name, service)
        for name, service in services(config)
        if all(_value(environment, variable) for variable in _variables(service))
    }
    sentences: list[str] = []

    async def look() -> None:
        looks = (_notice(name, service, environment) for name, service in ready.values())
        sentences.extend(sentence for sentence in await asyncio.gather(*looks) if sentence is not None)

    if ready:
        in_own_loop(look)
    return sentences


async def _notice(name: str, config: ServiceConfig, environment: Mapping[str, str]) -> str | None:
    from workers.service.service import Service  # noqa: PLC0415 -- openai

    service = Service(config.model_copy(update={"batch": None}), environment)
    try:
        notice = await service.look_up_model()
    finally:
        await service.close()
    return None if notice is None else f"{name}: {notice}"
