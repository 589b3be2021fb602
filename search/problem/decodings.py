"""How answers are decoded: from the config to the decodings that candidates name."""

from configs.errors import InputError
from configs.schema.decoding import DecodingConfig, FurtherDecodingConfig
from configs.schema.run import RunConfig
from configs.schema.search_space import VaryingKnobs
from search.problem.candidate import OWN, Candidate
from search.prompts.render import Renderer
from workers.prompt import Decoding


def make_decoding(config: DecodingConfig, renderer: Renderer) -> Decoding:
    """The decoding of a config, with the template's stop strings where it names none."""
    stop = renderer.stop if config.stop is None else config.stop
    return Decoding(**config.model_dump() | {"stop": tuple(stop)})


def decoding_of(config: RunConfig, candidate: Candidate) -> DecodingConfig:
    """The decoding that this candidate of a search is answered with."""
    further = config.strategy.decodings if isinstance(config.strategy, VaryingKnobs) else ()
    own = (change for change in further if change.name == candidate.decoding)
    return next((_changed(config.decoding, change) for change in own), config.decoding)


def _changed(decoding: DecodingConfig, change: FurtherDecodingConfig) -> DecodingConfig:
    return decoding.model_copy(update=change.model_dump(exclude={"name"}, exclude_none=True))


def make_decodings(config: RunConfig, renderer: Renderer) -> dict[str, Decoding]:
    """The run's own decoding and the strategy's further ones, by the name that candidates have for them.

    Raises:
        InputError: two are the same.
    """
    decodings = {OWN: make_decoding(config.decoding, renderer)}
    for varied in config.strategy.decodings if isinstance(config.strategy, VaryingKnobs) else ():
        decoding = make_decoding(_changed(config.decoding, varied), renderer)
        if decoding.in_effect() in [other.in_effect() for other in decodings.values()]:
            raise InputError(
                f"strategy.decodings: {varied.name!r} does the same as `decoding` or an earlier one (top_p and top_k "
                "do nothing at temperature 0): change or drop it"
            )
        decodings[varied.name] = decoding
    return decodings
