"""The members of a run's panel, made from a config."""

from configs.schema.judge import EnsembleJudgeConfig, JudgeConfig, MemberConfig
from evaluators.judge_tools.models import Models
from evaluators.judges.table import make_judges
from evaluators.pipeline.panel import PanelMember


def make_panel_members(config: JudgeConfig, models: Models) -> tuple[PanelMember, ...]:
    """The panel's members. Raises InputError when prompts, keys or modules are missing."""
    configs = config.members if isinstance(config, EnsembleJudgeConfig) else (MemberConfig(judge=config),)
    return tuple(member for entry in configs for member in _members(entry, models))


def _members(entry: MemberConfig, models: Models) -> list[PanelMember]:
    """A config that makes several judges shares its weight among them."""
    config = entry.judge
    judges = make_judges(config, models)
    return [PanelMember(judge, entry.weight / len(judges), config.repeats, config.average) for judge in judges]
