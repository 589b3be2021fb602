"""Group screening, then tempered Thompson sampling over ordered sets, then a race: the search to take first.

Groups of demonstrations are judged on blocks of questions, so that one judgement informs all demonstrations of its
group; `search.statistics.effects` tells them apart. The demonstrations that are dealt into groups become fewer as the
posterior learns. From then on sets are proposed: the best set of a posterior draw whose deviation from the mean is
halved, at times in a random order. At the end the leaders, their neighbours and the likeliest set race.

Group screening: Dorfman 1943; successive halving: Karnin et al. 2013; Thompson sampling: Russo et al. 2018. Shares of
the budget and the temper were chosen on `search.bench.strategies`.
"""

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from configs.schema.strategy import ScreeningConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import TOO_LONG, ScoredTrial, Trial
from search.statistics.best_set import known_effects, neighbours
from search.statistics.effects import USUAL_SPREAD, EffectsModel, drift_between
from search.statistics.effects_posterior import Fit
from search.statistics.observed_scores import Floats, ObservedScores, OrderedSet
from search.strategies.parts.groups import Groups
from search.strategies.parts.met_questions import MetQuestions
from search.strategies.parts.numbered_space import NumberedSpace
from search.strategies.parts.screening_budget import (
    FINALISTS,
    GROUPS,
    SETS,
    Stage,
    answers_to_ask_for,
    answers_to_screen,
    finalists_met_by,
    share_of_groups,
    stage_at,
    trials_of,
)
from search.strategies.parts.screening_judge import ScreeningJudge
from search.strategies.parts.shortlist import fewer_questions

_FEWER = 1.0  # of the groups' share of the budget, where a screening judge foretells everything
_TEMPER = 0.5
_RANDOM_ORDER = 0.25
_GROWTH = 1.2  # hyperparameters are sought anew when so many times more has been told
_WIDER = 1.5  # times the base prompt's spread
_DRAWS = 64
_RACERS = (6, 4, 3, 2)


class Screening:
    """See the module's docstring.

    Args:
        embedding: of the space's pool, [N, p], in its order; None without.
        hints: what may tell effects of each of the pool, [N, any], in any unit; None without.
        has_screening_judge: whether a cheap judge may be asked beside the one that counts.
    """

    def __init__(
        self,
        space: SearchSpace,
        config: ScreeningConfig,
        seed: int,
        embedding: Floats | None = None,
        hints: Floats | None = None,
        *,
        has_screening_judge: bool = False,
    ) -> None:
        self._base_answers = len(space.questions)
        self._space, self._config = fewer_questions(space, seed), config
        self._draw = np.random.default_rng(seed)
        self._embedding, self._hints = embedding, hints
        self._numbered = NumberedSpace(self._space)
        self._block = min(config.block, len(self._space.questions))
        answers = answers_to_ask_for(config, self._space, self._base_answers)
        self._plan_for(answers)
        screened = answers_to_screen(config, self._space, answers) if has_screening_judge else 0
        self._screening = ScreeningJudge(self._numbered, screened, self._block, seed, embedding, hints)
        self._scores = ObservedScores()
        self._groups = Groups(self._numbered, self._draw)
        self._met = MetQuestions(len(self._space.pool), len(self._space.questions), self._block, self._draw)
        self._broken: set[OrderedSet] = set()
        self._queue: deque[Trial] = deque()
        self._trials_sent = self._results = self._answers = 0
        self._climbed = -1
        self._model: EffectsModel | None = None
        self._fit: Fit | None = None
        self._ranking: list[Candidate] = []
        self._ended = False
        self._suspects_drift = False
        self._stage: Stage = GROUPS

    def _plan_for(self, answers: int) -> None:
        self._trials = trials_of(self._config, self._space, answers - self._base_answers)
        self._batch = max(8, min(64, self._trials // 15), self._trials // 40)
        self._lag = max(self._batch // 2, self._trials // 20)

    def extend(self, budget: int) -> None:
        """Go on as far as so many answers reach, with the shares of the stages as of all of them."""
        self._plan_for(budget)
        self._ended = False

    def ask(self, room: int) -> Sequence[Trial]:
        if not self._screening.has_ended:
            return self._screening.ask(room)
        if not self._queue and self._model is not None and self._trials_sent - self._results <= self._lag:
            self._plan()
        trials = [self._queue.popleft() for _ in range(min(room, len(self._queue)))]
        self._trials_sent += len(trials)
        self._answers += sum(len(trial.questions) for trial in trials)
        return trials

    def tell(self, scored: ScoredTrial) -> None:
        chosen = self._numbered.numbers(scored.trial.candidate)
        if scored.trial.screening:
            self._hear_screening(chosen, scored)
            return
        if self._model is None:
            self._begin(scored)
        else:
            self._results += 1
        if scored.scores and TOO_LONG not in scored.failures.values():
            scores = self._numbered.scores(scored)
            self._scores.tell(chosen, [*scores], [*scores.values()])
        else:
            self._broken.add(chosen)
        if self._results == self._trials:
            self._refit(sweeps=2)

    def _hear_screening(self, chosen: OrderedSet, scored: ScoredTrial) -> None:
        if TOO_LONG in scored.failures.values():
            self._broken.add(chosen)
        self._screening.tell(chosen, self._numbered.scores(scored))
        if self._screening.has_ended and (effects := self._screening.effects()) is not None:
            assert self._model is not None
            self._model = self._model.with_other_effects(effects)

    def _begin(self, scored: ScoredTrial) -> None:
        values = np.array(list(scored.scores.values()))
        scale = float(values.std()) / USUAL_SPREAD if len(values) > 1 else 0.0
        size = len(self._space.questions), len(self._space.pool)
        self._model = EffectsModel(*size, self._embedding, scale if scale > 0 else 1.0, self._hints)
        self._met.all_asked(self._numbered.numbers(scored.trial.candidate))
        if scored.mean is not None:
            self._ranking = [scored.trial.candidate]

    def _rescale(self) -> None:
        """Measure in a larger unit where all scores spread far more than the base prompt's, which may all stand at the
        end of the scale."""
        assert self._model is not None
        scale = float(np.concatenate(self._scores.values).std()) / USUAL_SPREAD if self._scores.values else 0.0
        if scale > _WIDER * self._model.scale:
            self._model, self._fit = self._model.rescaled(scale), None

    def _plan(self) -> None:
        assert self._model is not None
        if self._ended or self._trials_sent >= self._trials:
            return
        room = min(self._batch, self._trials - self._trials_sent)
        grown = self._results > _GROWTH * self._climbed
        if grown:
            self._climbed = self._results
            self._rescale()
        fit = self._refit(sweeps=int(grown))
        if grown and (self._config.drift_checks == "auto" or self._config.stop_when_decided):
            self._suspects_drift |= drift_between(fit, self._model.with_drift(self._scores, fit)) > 0
        if self._results and self._config.least_gain and self._expected_gain(fit) < self._config.least_gain:
            self._end()
            return
        spent, unmet = self._trials_sent / self._trials, self._unmet_by_finalists(fit)
        spare = self._trials - self._trials_sent - len(unmet)
        room = min(room, max(1, spare))
        share = share_of_groups(self._config, self._space, self._trials) * (1 - _FEWER * fit.foretold)
        self._stage = FINALISTS if unmet and spare <= 0 else stage_at(spent, share, self._config.race_share)
        if self._stage == FINALISTS:
            sets = unmet[: self._trials - self._trials_sent]
        elif self._stage == GROUPS:
            sets = self._next_groups(fit, room, fit.foretold + (1 - fit.foretold) * spent / share)
        elif self._stage == SETS:
            sets = self._sampled_sets(fit, room)
        else:
            sets = self._racers(fit, room, (spent - 1 + self._config.race_share) / self._config.race_share)
        for chosen in sets:
            self._enqueue(chosen)
        if not self._queue and self._trials_sent == self._results:
            self._end()

    def stage(self) -> str:
        """What it is doing, in a few words."""
        return self._stage

    def _end(self) -> None:
        self._ended, self._trials = True, self._trials_sent

    def _expected_gain(self, fit: Fit) -> float:
        """What knowing all effects would add to the best set told, on average over the posterior; in points."""
        possible = [known_effects(fit, beta) for beta in fit.draws(_DRAWS, 1.0, self._draw)]
        return self._numbered.gain_of_knowing(possible, self._ranking[:1]) * fit.model.scale

    def _refit(self, sweeps: int) -> Fit:
        assert self._model is not None
        self._fit = self._model.fit(self._scores, self._fit, sweeps)
        self._rank(self._fit)
        return self._fit

    def _next_groups(self, fit: Fit, room: int, progress: float) -> list[OrderedSet]:
        """Balanced groups of the demonstrations that are still in: all at first, fewer by a constant factor later."""
        total = len(self._space.pool)
        target = min(total, self._groups.least)
        survivors = math.ceil(total * (target / total) ** progress)
        inside = np.argsort(-fit.worths(fit.mean), kind="stable")[:survivors]
        return self._groups.deal(inside, self._met.times_asked(), room, self._block)

    def _sampled_sets(self, fit: Fit, room: int) -> list[OrderedSet]:
        """The best sets of posterior draws, told ones with what they did of their own."""
        betas = fit.draws(2 * room, _TEMPER, self._draw)
        scored = [chosen for chosen in self._scores.sets if chosen and self._open(chosen)]
        by_value = sorted(zip(-fit.values(scored), scored, strict=True)) if scored else []
        rivals = [chosen for _, chosen in by_value[: 3 * room]]
        values = fit.sampled_values(rivals, betas, _TEMPER, self._draw) if rivals else np.zeros((len(betas), 0))
        sets: list[OrderedSet] = []
        for row, beta in enumerate(betas):
            effects = known_effects(fit, beta)
            best = self._numbered.best_set(effects)
            if rivals and values[row].max() > effects.value(best) * fit.model.scale:
                best = rivals[int(values[row].argmax())]
            elif self._space.order == "free" and self._draw.random() < _RANDOM_ORDER:
                best = tuple(self._draw.permutation(best).tolist())
            if best not in sets and self._open(best):
                sets.append(best)
            if len(sets) == room:
                break
        return sets

    def _racers(self, fit: Fit, room: int, progress: float) -> list[OrderedSet]:
        """The likeliest winners, fewer of them as the race goes on."""
        count = min(room, _RACERS[min(len(_RACERS) - 1, int(progress * len(_RACERS)))])
        scored = [chosen for chosen in self._scores.sets if chosen]
        leaders = [scored[place] for place in np.argsort(-fit.values(scored), kind="stable")[:20]] if scored else []
        near = [*leaders, self._numbered.best_set(known_effects(fit, fit.mean))]
        strongest = np.argsort(-fit.worths(fit.mean), kind="stable").tolist()
        near += [
            self._numbered.arranged(neighbour) for leader in leaders[:2] for neighbour in neighbours(leader, strongest)
        ]
        near = [chosen for chosen in dict.fromkeys(near) if self._open(chosen) and self._numbered.allowed(chosen)]
        return [near[place] for place in np.argsort(-fit.values(near), kind="stable")[:count]] if near else []

    def _unmet_by_finalists(self, fit: Fit) -> list[OrderedSet]:
        """The likeliest winners, each as often as there are blocks of questions left for it: what is recommended shall
        have met all. Two of them, one or none, as the budget allows."""
        blocks = -(-len(self._space.questions) // self._block)
        count = finalists_met_by(self._trials, blocks)
        sound = [chosen for chosen in self._scores.sets if chosen and chosen not in self._broken]
        scored = [chosen for chosen in sound if self._numbered.allowed(chosen)]
        if not count or not scored:
            return []
        leaders = [scored[place] for place in np.argsort(-fit.values(scored), kind="stable")[:count]]
        return [leader for leader in leaders for _ in range(self._met.blocks_left(leader))]

    def _enqueue(self, chosen: OrderedSet) -> None:
        block = [] if chosen in self._broken else self._met.next_block(chosen)
        if block:
            self._queue.append(Trial(self._numbered.candidate(chosen), self._numbered.questions(block)))

    def _open(self, chosen: OrderedSet) -> bool:
        """Whether there is something left to learn from this set."""
        return chosen not in self._broken and self._met.blocks_left(chosen) > 0

    def _rank(self, fit: Fit) -> None:
        base = self._numbered.numbers(self._space.compose(()))
        scored = [chosen for chosen in self._scores.sets if chosen == base or self._numbered.allowed(chosen)]
        values = np.round(fit.values(scored), 9)
        ranked = [scored[place] for place in np.argsort(-values, kind="stable")]
        if self._results == self._trials:
            ranked.sort(key=lambda chosen: not chosen or self._met.blocks_left(chosen) > 0)
        self._ranking = [self._numbered.candidate(candidate) for candidate in ranked]

    def suspects_drift(self) -> bool:
        """See `search.strategies.strategy.WaryOfDrift`."""
        return self._suspects_drift

    def agreement(self) -> float | None:
        """See `search.strategies.strategy.Screened`."""
        fit = self._fit
        return None if fit is None or fit.model.other is None else round(fit.hyper.agreement, 3)

    def screened(self) -> int:
        """See `search.strategies.strategy.Screened`."""
        return self._screening.answers

    def planned(self) -> int:
        asked = self._answers + self._screening.answers
        return self._base_answers + asked + (self._trials - self._trials_sent) * self._block

    def ranking(self) -> Sequence[Candidate]:
        return self._ranking
