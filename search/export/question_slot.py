"""How a new question stands in the prompt that was scored."""

from dataclasses import dataclass

from configs.errors import InputError
from search.export.best_prompt import BestPrompt
from workers.prompt import PromptBlock

_PROBE = "where does this question stand"
_STRIPS: tuple[str | None, ...] = ("", "\n", None)


@dataclass(frozen=True, slots=True)
class Spelling:
    """The prompt of a question is `prefix + before + question.strip(strip) + after`.

    Attributes:
        prefix: shared by all questions.
        strip: characters taken off both ends of a question, as `str.strip` takes them: "" for none, None for all white
            space.
        bos: the model's begin-of-text token goes in front; else the prefix spells it.
    """

    prefix: str
    before: str
    after: str
    strip: str | None
    bos: bool

    def prompt(self, question: str) -> str:
        return self.prefix + self.before + question.strip(self.strip) + self.after


def spelling(best: BestPrompt) -> Spelling:
    """Tried out on questions, whatever the template.

    Raises:
        InputError: the template does more to a question than to strip it.
    """
    block, odd = _block(best, _PROBE), f"\n \n{_PROBE}\n \n"
    before, _, after = block.suffixes[0].partition(_PROBE)
    for strip in _STRIPS:
        tried = Spelling(block.prefix, before, after, strip, block.bos)
        if tried.prompt(odd) == _block(best, odd).prompt(0):
            return tried
    raise InputError("the model's chat template changes a question on its way into the prompt: export hugging_face")


def _block(best: BestPrompt, question: str) -> PromptBlock:
    return best.renderer.block(best.material.rules, best.demonstrations, [(question,)])
