"""What an experiment has measured, as scripts read it."""

from search.experiments.results import ExperimentResults
from search.experiments.toys import has_toys


def to_json(results: ExperimentResults) -> dict[str, object]:
    """Every row and every hole, for scripts."""
    return {
        "experiment": results.experiment.name,
        "toy": has_toys(results.config),
        "cells": results.cells,
        "rows": [
            {
                **row.condition,
                "measure": row.measure.name,
                "draws": row.draws,
                "score": row.score and row.score.to_json(),
                "difference": row.difference and row.difference.estimate.to_json(),
                "p_value": row.difference and row.difference.p_value,
                "stays_among_all": row.stays,
                "search_questions": row.search_questions,
                "n_failed": row.failed,
                "paper": row.printed,
            }
            for row in results.rows
        ],
        "holes": [{"cell": hole.name, "benchmark": hole.benchmark, "reason": hole.reason} for hole in results.holes],
    }
