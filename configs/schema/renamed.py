"""Settings that have another name now, or none: a config that has the old one is refused and told what to do."""

RENAMED = {
    "contestants": "variants",
    "scoring.sure": "scoring.min_win_probability",
    "strategy.apart": "strategy.mutually_exclusive",
    "strategy.likelihood_questions": "strategy.hints.likelihood_questions",
    "strategy.any_place": "strategy.vary_position",
}
"""The new name, dotted, by the old one; `[...]` of lists is left out of both."""

REMOVED = {"strategy.polish": "a local search behind another strategy changed nothing that could be measured"}
"""Why a setting has gone, by its name."""
