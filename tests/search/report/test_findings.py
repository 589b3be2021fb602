"""What a report says of a run whose every score is known."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from configs.loading import load_config
from evaluators.pipeline.readings import ReadingDifference
from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial
from search.report.caveats import caveats
from search.report.findings import Findings, find
from search.report.sentences import summary
from search.results.search_results import read_search_results
from search.results.status import read_status
from search.results.wording import show_drafting
from search.run_directory.amendments import amendment, open_amendments
from search.run_directory.records import ExpectedGain
from search.run_directory.run import Run
from tests.fakes import chance
from tests.search.report.made_run import PRICE, MadeRun, small_run, table

NAN = math.nan
BASE_SCORES = {"g1": 5.0, "g2": 6.0, "g3": 4.0, "g4": 5.0, "h1": 3.0, "h2": 4.0, "h3": 5.0}
WINNER_SCORES = {"g1": 7.0, "g2": 8.0, "g3": 6.0, "g4": 7.5, "h1": 4.0, "h2": 5.0, "h3": 6.25}
SECOND_SCORES = {"g1": 6.0, "g2": 7.0, "g3": 5.0, "g4": 6.0, "h1": 4.5, "h2": 5.5, "h3": 8.0}
SCORES = {(): BASE_SCORES, ("a",): WINNER_SCORES, ("b",): SECOND_SCORES}


def found(run: MadeRun, ended: bool = True) -> Findings:
    return find(read_search_results(run.write(ended=ended)))


def finished(path: Path) -> MadeRun:
    run = small_run(path / "run", table(SCORES))
    run.search("a")
    run.search("b")
    run.judge_finalists(("a",), ("b",), ())
    return run


def test_overstatement_compares_gains_so_that_harder_questions_do_not_count_as_winners_curse(tmp_path: Path) -> None:
    winner, runner_up, base = found(finished(tmp_path)).finalists
    assert [one.role for one in (winner, runner_up, base)] == ["winner", "runner-up", "base prompt"]
    assert winner.search is not None
    assert winner.held_out is not None
    assert winner.search.mean - winner.held_out.mean == pytest.approx(7.125 - 61 / 12)
    assert winner.search_gain is not None
    assert winner.held_out_gain is not None
    assert (winner.search_gain.mean, winner.search_gain.n) == (2.125, 4)
    assert winner.held_out_gain.mean == pytest.approx(13 / 12)
    assert winner.held_out_gain.n == 3
    assert winner.overstatement is not None
    assert winner.overstatement.mean == pytest.approx(2.125 - 13 / 12)
    assert winner.overstatement.low > 0
    assert base.search_gain is base.overstatement is None


def test_the_summary_says_how_clear_the_gain_is_and_how_much_the_search_overstated_it(tmp_path: Path) -> None:
    first, sure, second = summary(found(finished(tmp_path)))
    assert "make it 98.0 % probable that it is better" in sure
    assert "On 3 questions the search never saw, the winner beats the base prompt: +1.08 points" in first
    assert "5.08 against 4.00. The interval excludes zero." in first
    assert "its gain was +2.12: the search overstated it by 1.04" in second


def test_a_find_that_the_scores_are_not_sure_enough_of_leaves_the_base_prompt_as_it_is(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", table(SCORES))
    run.search("a")
    run.judge_finalists((), ("a",), better=0.614, expected=(None, ExpectedGain(0.05, -0.15, 0.25)))
    gained, exported, needed = summary(found(run))
    assert gained.startswith("Found: on 3 questions the search never saw, the runner-up beats the base prompt: +1.08")
    assert exported.startswith("Exported: the base prompt. All scores together make it 61.4 % probable")
    assert "90 % would be enough (`scoring.min_win_probability`)" in exported
    assert "(+0.02 points), about 93 further questions, put to both prompts with `demosearch evaluate`" in needed


def test_more_answers_are_not_asked_for_where_no_gain_is_expected(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", table(SCORES))
    run.search("a")
    run.judge_finalists((), ("a",), better=0.41)
    assert summary(found(run))[-1].startswith("More answers are not expected to change that")


def test_the_judge_s_own_noise_is_told_apart_from_that_of_questions(tmp_path: Path) -> None:
    search, held_out = dict.fromkeys(("g1", "g2", "g3", "g4"), ""), dict.fromkeys(("h1", "h2", "h3"), "")
    run = MadeRun(tmp_path / "run", search, held_out, table(SCORES), repeats=2, wobble=0.05)
    run.search()
    run.search("a")
    run.judge_finalists(("a",), ())
    findings = found(run)
    (noise,) = findings.noise
    assert noise.spread == pytest.approx(0.05 * math.sqrt(2))
    assert noise.answers == 14
    assert noise.share == pytest.approx(0.005 / 0.0208333, rel=1e-3)
    assert any("24 % of the variance" in caveat for caveat in caveats(findings))


def test_scores_are_said_to_be_first_verdicts_where_the_search_knew_further_ones(tmp_path: Path) -> None:
    run = finished(tmp_path)
    run.search(again=1)  # a check for drift
    assert not any("first verdicts" in caveat for caveat in caveats(found(run, ended=False)))
    run = finished(tmp_path / "further")
    run.search("a", again=1)
    assert any(
        "further verdicts on answers (trials that did: 1)" in caveat for caveat in caveats(found(run, ended=False))
    )


def test_verdicts_that_another_reading_would_change_are_a_caveat(tmp_path: Path) -> None:
    findings = found(finished(tmp_path))
    assert findings.readings == ()
    for is_first, sentence in [
        (False, "Of 40 verdicts that the judge gave in words, published parsers would read 3 otherwise or not at all"),
        (True, "a reading of decisions (`rating: decision`) would read 3 otherwise or not at all"),
    ]:
        told = replace(findings, readings=(ReadingDifference("judge", 40, 3, is_first),))
        assert any(sentence in caveat for caveat in caveats(told))


def test_a_judge_that_was_asked_once_tells_nothing_of_its_noise(tmp_path: Path) -> None:
    assert found(finished(tmp_path)).noise == ()


def test_a_gain_whose_interval_includes_zero_is_no_clear_gain(tmp_path: Path) -> None:
    noisy = {**WINNER_SCORES, "h1": 1.0, "h2": 8.0, "h3": 6.0}
    run = small_run(tmp_path / "run", table({**SCORES, ("a",): noisy}))
    run.search("a")
    run.judge_finalists(("a",), ())
    assert "does not clearly beat the base prompt" in summary(found(run))[0]


def test_a_runner_up_that_does_better_on_held_out_questions_is_no_reason_to_choose_it(tmp_path: Path) -> None:
    assert any("runner-up has the higher held-out score" in caveat for caveat in caveats(found(finished(tmp_path))))


def test_a_failed_question_is_in_no_mean_and_no_pair_and_is_counted(tmp_path: Path) -> None:
    rows = {**SCORES, (): {**BASE_SCORES, "h1": NAN}, ("a",): {**WINNER_SCORES, "g4": NAN}}
    run = small_run(tmp_path / "run", table(rows))
    run.search("a")
    run.judge_finalists(("a",), ())
    findings = found(run)
    winner = findings.finalists[0]
    assert winner.search is not None
    assert (winner.search.mean, winner.search.n, winner.search.failed) == (7.0, 3, 1)
    assert winner.held_out_gain is not None
    assert (winner.held_out_gain.n, winner.held_out_gain.failed) == (2, 1)
    (alike,) = findings.failures
    assert (alike.stage, alike.cause, alike.count) == ("verdict", "JudgeFailed", 2)
    assert {one.message for one in alike.samples} == {"the judge does not take h1", "the judge does not take g4"}
    assert any("1 question is missing from the comparison" in caveat for caveat in caveats(findings))


def test_scores_that_came_later_stand_in_the_place_of_failures(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", table({**SCORES, ("a",): {**WINNER_SCORES, "g4": NAN}}))
    run.search("a")
    path = run.write(ended=False)
    with open_amendments(path / "amendments.jsonl") as amendments:
        trial = Trial(Candidate(("a", "base")), ("g4",))
        amendments.append(amendment("search", ScoredTrial(trial, {"g4": 7.0}, {}, 7.0, {"g4": 9})))
    findings = find(read_search_results(path))
    best = findings.candidates[0]
    assert best.score is not None
    assert (best.score.mean, best.score.n, best.failed) == (7.0, 4, 0)
    assert any("1 score was added by `retry-failed`" in caveat for caveat in caveats(findings))


def test_a_gain_that_rests_on_one_category_is_flagged(tmp_path: Path) -> None:
    only_prose = {**BASE_SCORES, "g3": 9.0, "g4": 9.0, "h2": 9.0, "h3": 9.0}
    run = small_run(tmp_path / "run", table({**SCORES, ("a",): only_prose}))
    run.search("a")
    run.judge_finalists(("a",), ())
    findings = found(run)
    prose = next(row for row in findings.categories if (row.category, row.side) == ("prose", "held_out"))
    assert prose.gain is not None
    assert prose.without is not None
    assert (prose.gain.mean, prose.gain.n, prose.without.mean, prose.without.n) == (4.5, 2, 0.0, 1)
    told = [caveat for caveat in caveats(findings) if "rests on" in caveat]
    assert len(told) == 1
    assert "held-out gain rests on the category “prose”" in told[0]


def test_categories_of_search_and_held_out_questions_never_meet(tmp_path: Path) -> None:
    rows = {(row.category, row.side): row.gain for row in found(finished(tmp_path)).categories}
    means = {key: gain.mean for key, gain in rows.items() if gain is not None}
    assert means == {
        ("maths", "search"): 2.0,
        ("prose", "search"): 2.25,
        ("maths", "held_out"): 1.0,
        ("prose", "held_out"): 1.125,
    }


def test_a_gain_that_is_all_length_vanishes_at_equal_length(tmp_path: Path) -> None:
    search = {f"g{number}": "" for number in range(12)}
    longer = {name: 2 ** (number % 4) for number, name in enumerate(search)}

    def say(names: tuple[str, ...], question: str) -> str:
        return "x" * (9 if names == ("base",) else 10 * longer[question] - 1)

    def score(names: tuple[str, ...], question: str) -> float:
        return 5.0 if names == ("base",) else 5.0 + math.log2(longer[question])

    run = MadeRun(tmp_path / "run", search, {"h1": ""}, score, say)
    run.search()
    run.search("a")
    findings = found(run, ended=False)
    guard = findings.lengths
    assert guard is not None
    assert guard.correlation == pytest.approx(1.0)
    assert guard.equal_length_gain is not None
    assert guard.equal_length_gain.mean == pytest.approx(0.0, abs=1e-9)
    assert guard.ratio == pytest.approx((10 * 3.75 - 1) / 9)
    assert any("goes with longer answers" in caveat for caveat in caveats(findings))


def test_a_gain_that_may_be_nothing_is_neither_put_down_to_length_nor_to_a_category(tmp_path: Path) -> None:
    now_and_then = {**BASE_SCORES, "h2": 9.0, "h3": 4.0}
    run = small_run(
        tmp_path / "run", table({**SCORES, ("a",): now_and_then}), lambda names, question: "x" * 9 ** len(names)
    )
    run.search("a")
    run.judge_finalists(("a",), ())
    findings = found(run)
    gain = findings.finalists[0].held_out_gain
    assert gain is not None
    assert gain.low < 0 < gain.mean
    assert [caveat for caveat in caveats(findings) if "longer" in caveat or "rests on" in caveat] == []


def test_a_gain_without_longer_answers_raises_no_doubt_of_length(tmp_path: Path) -> None:
    run = finished(tmp_path)
    assert not any("longer" in caveat for caveat in caveats(found(run)))


def test_a_candidate_on_easy_questions_alone_does_not_lead_the_board(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", table(SCORES))
    run.search("b", questions=["g2"])
    run.search("a")
    findings = found(run, ended=False)
    first, base, second = findings.candidates
    assert [one.candidate.demonstrations[0] for one in (first, base, second)] == ["a", "base", "b"]
    assert first.score is not None
    assert second.score is not None
    assert (first.score.n, second.score.n, second.score.mean) == (4, 1, 7.0)
    assert [one.rank for one in (first, base, second)] == [1, None, 2]


def test_the_board_says_of_each_candidate_what_its_own_results_say(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", table({**SCORES, ("a",): {**WINNER_SCORES, "g4": NAN}}))
    run.search("b", questions=["g2"])
    run.search("a")
    findings = found(run, ended=False)
    results, base = findings.results, findings.results.search[Candidate(("base",))]
    for row in findings.candidates:
        own = results.search[row.candidate]
        assert (row.place, row.score, row.failed) == (own.place, own.mean(results.confidence), len(own.failures))
        assert row.gain == (None if own == base else own.gain(base, results.confidence))


def test_the_history_counts_judged_generations_and_knows_what_exhaustive_greedy_would_take(tmp_path: Path) -> None:
    history = found(finished(tmp_path)).history
    assert [(one.judged, one.gain.mean) for one in history.milestones] == [(4, 0.0), (8, 2.125), (12, 2.125)]
    assert history.greedy == (1 + 3 + 2 + 1) * 4


def test_a_best_so_far_that_falls_is_told_in_gains_over_shared_questions(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", table(SCORES))
    run.search("a", questions=["g2"])
    run.search("a", questions=["g1", "g3", "g4"])
    history = found(run, ended=False).history
    gains = [(one.gain.mean, one.gain.n) for one in history.milestones]
    assert gains[0] == (0.0, 4)
    assert [n for _, n in gains[1:]] == [1, 4]
    assert history.falls == (gains[2][0] < gains[1][0])


def test_the_questions_that_changed_most_stand_first_with_the_judges_words(tmp_path: Path) -> None:
    mixed = {**WINNER_SCORES, "h1": 9.0, "h2": 1.0, "h3": 5.5}
    run = small_run(tmp_path / "run", table({**SCORES, ("a",): mixed}))
    run.search("a")
    run.judge_finalists(("a",), ())
    answers = found(run).answers
    assert answers is not None
    assert [(one.question.id, one.gain) for one in answers.better] == [("h1", 6.0), ("h3", 0.5)]
    assert [(one.question.id, one.gain) for one in answers.worse] == [("h2", -3.0)]
    assert answers.better[0].winner.answers == ("a+base on h1",)
    assert answers.better[0].base.answers == ("base on h1",)
    assert answers.better[0].winner.words == ("as the judge sees it",)


def test_two_turns_are_told_apart_and_answers_shown_in_full(tmp_path: Path) -> None:
    search, held_out = dict.fromkeys(("g1", "g2", "g3", "g4"), ""), dict.fromkeys(("h1", "h2", "h3"), "")
    run = MadeRun(tmp_path / "run", search, held_out, table(SCORES), further="Tell me more")
    run.search()
    run.search("a")
    run.judge_finalists(("a",), ())
    findings = found(run)
    gains = {(row.turn, row.side): row.gain.mean for row in findings.turns if row.gain}
    assert gains == {(1, "held_out"): pytest.approx(13 / 12), (2, "held_out"): pytest.approx(13 / 12)} | {
        (1, "search"): 2.125,
        (2, "search"): 2.125,
    }
    second = next(row for row in findings.turns if (row.turn, row.side) == (2, "search"))
    assert second.base is not None
    assert (second.base.mean, second.base.n) == (6.0, 4)
    assert findings.answers is not None
    assert findings.answers.better[0].winner.answers == ("a+base on h3", "further, a+base on h3")
    assert findings.history.judged == 2 * 2 * 4
    assert findings.history.greedy == 7 * 4 * 2
    assert (findings.costs.answers, findings.costs.verdicts) == (2 * 2 * 7, 2 * 2 * 7)


def test_answers_that_were_cut_off_are_told(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", table(SCORES), lambda names, question: " ".join([*names] * 49))
    run.search("a")
    findings = found(run, ended=False)
    assert findings.answers is not None
    assert findings.answers.cut == (0.0, 1.0)
    assert any("cut off" in caveat for caveat in caveats(findings))


def test_answers_that_several_prompts_led_to_are_judged_once(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", lambda *_: 5.0, lambda names, question: "the same to all")
    run.search("a")
    run.search("b")
    costs = found(run, ended=False).costs
    assert (costs.answers, costs.answers_known) == (12, 0)
    assert (costs.verdicts, costs.verdicts_known) == (12, 8)
    assert costs.spend.judged == 4


def test_costs_name_calls_tokens_dollars_and_speed(tmp_path: Path) -> None:
    costs = found(finished(tmp_path)).costs
    (judge,) = costs.judges
    judged = 3 * 4 + 3 * 3
    assert (judge.fingerprint, judge.verdicts) == ("scripted judge", judged)
    assert (judge.usage.calls, judge.usage.prompt_tokens, judge.usage.new_tokens) == (judged, judged * 10, judged * 5)
    assert judge.usage.dollars == pytest.approx(judged * PRICE)
    assert costs.tokens_per_second == pytest.approx(costs.spend.new_tokens / 10.0)
    shares = (costs.gpu_idle, costs.workers_idle, costs.judge_idle, costs.judge_stalled)
    assert shares == pytest.approx((0.25, 0.1, 0.6, 0.2))
    assert show_drafting(costs.drafting) == "75 % of 800 drafted tokens accepted: 3.0 tokens a pass of the model"
    assert read_status(tmp_path / "run").to_json()["tokens_per_pass"] == 3


def test_a_planted_effect_is_found_and_none_is_found_where_none_is(tmp_path: Path) -> None:
    worth = {"a": 1.5, "b": 0.0, "c": -1.0, "base": 0.0}

    def score(names: tuple[str, ...], question: str) -> float:
        noise = (chance(*names, question) - 0.5) * 0.4
        effect = sum(worth[name] for name in names) / math.sqrt(max(1, len(names) - 1))
        return 5.0 + int(question[1:]) % 3 + effect + noise

    run = MadeRun(tmp_path / "run", {f"g{number}": "" for number in range(16)}, {"h1": ""}, score)
    for added in ((), ("a",), ("b",), ("c",), ("a", "b"), ("b", "a"), ("a", "c"), ("c", "b"), ("b", "c")):
        run.search(*added)
    contributions = found(run, ended=False).contributions
    assert contributions is not None
    alone = {one.demonstration: one.alone for one in contributions.demonstrations}
    assert alone["a"].low > 0 > alone["c"].high
    assert alone["b"].low < 0 < alone["b"].high
    assert contributions.demonstrations[0].demonstration == "a"
    assert contributions.demonstrations[0].in_winner is not None
    assert contributions.demonstrations[0].alone.n == 4
    assert contributions.last_over_first is not None
    assert contributions.last_over_first.low < 1 < contributions.last_over_first.high


def test_a_search_that_has_not_ended_has_no_result_yet(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", table(SCORES))
    run.search("a")
    findings = found(run, ended=False)
    (sentence,) = summary(findings)
    assert sentence.startswith("There is no result yet")
    assert "the best of 1 other candidate so far gains +2.12 points" in sentence
    assert findings.finalists[0].role == "best so far"
    assert caveats(findings)[0] == "The search has stopped (interrupted); `demosearch resume` goes on."


def test_where_nothing_beats_the_base_prompt_the_report_says_so(tmp_path: Path) -> None:
    worse = {name: score - 1 for name, score in BASE_SCORES.items()}
    run = small_run(tmp_path / "run", table({**SCORES, ("a",): worse}))
    run.search("a")
    run.judge_finalists((), ("a",), better=None)
    findings = found(run)
    assert summary(findings) == ["The one other candidate did not beat the base prompt on the search questions."]
    assert [one.role for one in findings.finalists] == ["runner-up", "base prompt"]


def test_a_report_on_a_running_search_leaves_it_as_it_was(tmp_path: Path) -> None:
    path = finished(tmp_path).write()
    owner = Run.open(path)
    kept = {file.name: file.read_bytes() for file in path.iterdir()}
    findings = find(read_search_results(path))
    assert findings.status.state == "running"
    assert findings.finalists[0].role == "best so far"
    assert {file.name: file.read_bytes() for file in path.iterdir() if file.name in kept} == kept
    owner.close()


def test_a_run_whose_model_is_still_loading_has_nothing_scored(tmp_path: Path) -> None:
    Run.create(tmp_path / "run", load_config("quickstart")).close()
    findings = find(read_search_results(tmp_path / "run"))
    assert summary(findings) == ["Nothing has been scored yet."]
    assert findings.finalists == ()
    assert caveats(findings) == ["The search has crashed; `demosearch resume` goes on."]


def test_a_drift_of_the_judge_is_a_caveat(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", table(SCORES))
    run.search("a")
    run.judge_finalists(("a",), (), drift=0.62)
    assert any("The judge's level moved by about 0.62 points" in one for one in caveats(found(run)))
