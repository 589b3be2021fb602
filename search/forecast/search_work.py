"""The work that a whole search makes, as far as it can be told beforehand."""

from math import ceil

from configs.plural import show_many
from search.forecast.rehearsal import Asked
from search.forecast.workload import PlannedWork, Surveyor, combined
from search.running.assembly import Plan
from search.running.finalists import most_finalists


def rehearsed_work(plan: Plan, surveyor: Surveyor, asked: Asked) -> PlannedWork:
    material = plan.material
    return combined(
        surveyor.work(
            plan.renderer,
            material.rules,
            material.shown(candidate),
            questions.answered,
            [name for name, _ in questions.judged],
            questions.screened,
        )
        for candidate, questions in asked.items()
    )


def screening_notes(plan: Plan, likely: PlannedWork | None, most: PlannedWork) -> list[str]:
    """How many of the verdicts are the screening judge's, in a sentence; none where nobody is asked first."""
    first = len(plan.judges.members)
    if not plan.judges.screening:
        return []
    about = f"about {sum(likely.verdicts[first:]):,}, " if likely is not None else ""
    return [f"of the verdicts, {about}at most {sum(most.verdicts[first:]):,}, are those of judge.screening"]


def reading_work(plan: Plan, surveyor: Surveyor) -> tuple[list[PlannedWork], list[str]]:
    """What the model reads before anything is asked, and a sentence that says so; empty where it reads nothing."""
    answers = plan.reference_answers(plan.space)
    if answers is None:
        return [], []
    note = (
        "before anything is judged, "
        f"{show_many(answers.prompts, 'prompt with a reference answer is', 'prompts with reference answers are')} read "
        "(strategy.hints.likelihood_questions); their tokens are included, nothing is written"
    )
    return [surveyor.reading(answers.characters)], [note]


def most_work(plan: Plan, surveyor: Surveyor, planned: int, screened: int) -> PlannedWork:
    """The longest candidate over and over, on all search questions, for as many answers as are planned, of which so
    many are for the screening judge."""
    material = plan.material
    lengths = {name: demonstration.characters for name, demonstration in material.demonstrations.items()}
    longest = sorted(plan.space.pool, key=lambda name: -lengths[name])[: plan.space.max_added]
    candidates = plan.space.compose(()), plan.space.compose(longest)
    most = max(candidates, key=lambda candidate: sum(lengths[name] for name in candidate.demonstrations))
    shown = material.shown(most)
    names, held = [question.id for question in material.search], plan.held_out
    search = surveyor.work(plan.renderer, material.rules, shown, names)
    held_out = surveyor.work(
        plan.renderer, material.rules, shown, held.screened or held.judged, held.judged, held.screened
    )
    asked = len(names)
    works = [search.times(ceil((planned - screened) / asked)), held_out.times(most_finalists(plan.space))]
    if screened:
        first = surveyor.work(plan.renderer, material.rules, shown, names, (), names)
        works.append(first.times(ceil(screened / asked)))
    return combined(works)
