"""The rating that a judge decides on, or a doubt."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.failures import VerdictUnreadable
from evaluators.judge_tools.decision import read_decision
from evaluators.judge_tools.ratings import MT_BENCH, RatingForm, Scale, Winners
from tests.evaluators.real_files import mt_bench_rows
from workers.service.endings import CUT

FRACTION = Scale(0, 1, (re.compile(r"score: (\S+)"),))
JSON = Scale(0, 5, (re.compile(r'"score": (\d)'),))


def _score(words: str, finish: str = "stop", form: RatingForm = MT_BENCH) -> float:
    return read_decision(words, finish, form).score


def test_every_real_judgment_has_the_rating_that_upstream_read() -> None:
    for row in mt_bench_rows("model_judgment/gpt-4_single.jsonl"):
        if row["score"] == -1:
            with pytest.raises(VerdictUnreadable):
                _score(row["judgment"])
        else:
            assert _score(row["judgment"]) == row["score"]


@pytest.mark.parametrize(
    ("words", "rating"),
    [
        ("Good. Rating: [[7]]", 7),
        ("[[7]] because it is right.", 7),
        ("**Rating: [[7.5]]**", 7.5),
        ("### Rating\n\n[[7]]", 7),
        ("Rating: [6]", 6),
        ("See [3]; still: [[9]]", 9),
        ('The assistant wrote: "Rating: [[10]]". That is no answer. Rating: [[1]]', 1),
        ("On a scale from [[1]] to [[10]] this is Rating: [[7]]", 7),
        ("[[1]] is poor.\n[[10]] is perfect.\n\nRating: [[7]]", 7),
        ("Something like [[5]], such as [[5]].\n\nRating: [[7]]", 7),
        ("Helpfulness: [[7]]\nDepth: [[8]]\n\nOverall rating: [[7.5]]", 7.5),
        ("Draft rating: [[3]]\nFinal rating: [[9]]", 9),
        ("Rating: [[7]]. So, again: [[7]]", 7),
        ('I would rate it as follows: "Rating: [[8]]".', 8),
        ('{"explanation": "fine", "rating": "[[7]]"}', 7),
        ("```\nRating: [[8]]\n```", 8),
        ("[[3]], hm.\n\n[[9]]", 9),
        ("Depth rating: [[8]]\nStyle rating: [[4]]\n\nOverall: [[6]]", 6),
        ("Style: [[8]]\nConfidence: [[9]]\n[[6]]", 6),
        ('"Rating: [[8]]"', 8),
        ("Bewertung: [[7]]", 7),
        ("回答末尾是[[10]]。\n评分：[[2]]", 2),
        ("回答中写道：「[[10]]」。\n评分：[[2]]", 2),
        ("Style: [[8]]\nNote finale : [[7]]", 7),
        ("Style rating: [[8]]\n**Total:** [[7]]", 7),
    ],
)
def test_the_last_and_most_explicit_rating_of_the_judge_itself_is_its_decision(words: str, rating: float) -> None:
    assert _score(words) == rating


@pytest.mark.parametrize(
    "words",
    [
        "<think>Say [[3]].</think>\nRating: [[9]]",
        "<THINKING>\n[[3]]\n</THINKING> Rating: [[9]]",
        "Say [[3]].\n</think>\n\nRating: [[9]]",
        "<think>A <think>nested</think> [[3]]</think>Rating: [[9]]",
        "<reasoning>[[3]]</reasoning> [[9]]",
        "[THINK]Rating: [[3]][/THINK]Rating: [[9]]",
        "<|channel|>analysis<|message|>Rating: [[3]]<|end|><|channel|>final<|message|>Rating: [[9]]",
        "analysisMaybe [[3]].assistantfinalRating: [[9]]",
        "◁think▷[[3]]◁/think▷[[9]]",
        "<seed:think>[[3]]</seed:think>[[9]]",
        "<think type='slow'>Rating: [[3]]</think>Rating: [[9]]",
        "<|thinking|>Rating: [[3]]<|/thinking|>Rating: [[9]]",
        "<reasoning_content>Rating: [[3]]</reasoning_content>Rating: [[9]]",
        "<rationale>Rating: [[3]]</rationale>Rating: [[9]]",
        "<|channel>thought\nRating: [[3]]<channel|>Rating: [[9]]",
        "<|think_start|>Rating: [[3]]<|think_end|>Rating: [[9]]",
        "<｜thinking｜>Rating: [[3]]<｜/thinking｜>Rating: [[9]]",
        "[BEGIN_THINKING]Rating: [[3]][END_THINKING]Rating: [[9]]",
        "Here is my thought process: Rating: [[3]]\n\nHere is my response: Rating: [[9]]",
        "Here are my reasoning steps:\nRating: [[3]]\n[BEGIN FINAL RESPONSE]\nRating: [[9]]\n[END FINAL RESPONSE]",
        "<unused94>thought\nRating: [[3]]<unused95>Rating: [[9]]",
        "assistantanalysis Maybe [[3]]. assistantfinal Rating: [[9]]",
        "<plan>\nRating: [[3]]\n</plan>\nRating: [[9]]",
        "<my-reasoning kind='long'>Rating: [[3]]</my-reasoning>\n\n<draft>\nRating: [[4]]\n</draft> Rating: [[9]]",
        "<analysis>A <analysis> is open. Rating: [[3]]</analysis>Rating: [[9]]",
        "- <analysis>Rating: [[2]]</analysis>\nRating: [[9]]",
        "**<analysis>** [[2]] **</analysis>**\nRating: [[9]]",
        "1. <plan>Final rating: [[2]]</plan>\nRating: [[9]]",
        "Good answer. <plan>Rating: [[3]]</plan>\nRating: [[9]]",
        'Rating: [[9]]\n<thinking budget="x">maybe [[3]]</thinking>\n',
        "Rating: [[9]]\n\n<reasoning effort=high>foo</reasoning>\n",
    ],
)
def test_what_a_judge_writes_while_it_reasons_is_no_rating(words: str) -> None:
    assert _score(words) == 9


@pytest.mark.parametrize(
    "words",
    [
        "<think>Rating: [[9]]",
        "analysisRating: [[9]]",
        "[THINK] Rating: [[9]]",
        "<analysis>\nRating: [[9]]",
        "<|channel>thought\nRating: [[9]]",
    ],
)
def test_words_that_end_inside_the_reasoning_are_unreadable(words: str) -> None:
    with pytest.raises(VerdictUnreadable, match=r"end inside its reasoning: raise judge\.max_tokens"):
        _score(words)


@pytest.mark.parametrize(
    ("words", "doubt"),
    [
        ("Rating: [[3]]\nRating: [[9]]", "contradict"),
        ("Rating: [[8.5]], not [[2]]", "several ratings on one line"),
        ("Rating: [[7]]-[[8]]", "several ratings on one line"),
        ("Rating: [[7]] or [[8]]", "several ratings on one line"),
        ("Rating: [[7]][[8]]", "several ratings on one line"),
        ("Rating: [[6]]. With the error mended it would be [[9]].", "several ratings on one line"),
        ("Rating: [[7-8]]", "is not a number"),
        ("Rating: [[7/10]]", "is not a number"),
        ("Rating: [[7,5]]", "is not a number"),
        ("Rating: [[11]]", "off the scale of 1 to 10"),
        ("Rating: [[0]]", "off the scale"),
        ("[[7]]\n\nOther [[9]]\nand so on", "another rating after its decision"),
        ("Rating: [[7]]\n\n[[9]]", "contradict"),
        ("Somewhere from [[1]] to [[10]].", "gave no rating"),
        ("The answer says [[10]].", "gave no rating"),
        ('It says "Rating: [[10]]".', "gave no rating"),
        ("> Rating: [[10]]", "gave no rating"),
        ("[1] and [2]", "gave no rating"),
        ("Rating: 7", "gave no rating"),
        ("Rating: [[2]]. The answer has\n</think>\n\nRating: [[10]]", "on both sides of a closing tag"),
        ("Rating: [[8]]\n\nHad it been shorter, I would have given [[9]]. No, rather [[9]].", "after its decision"),
        ("", "gave no rating"),
        ("Accuracy: [[5]]\n- **Depth**: [[8]]", "contradict"),
        ("[[7]]\n[[3]]", "contradict"),
        ("1. Depth [[8]]\n2. Style [[4]]", "contradict"),
        ("Its depth is good, [[8]].\nIts style is poor, [[4]].", "contradict"),
        ("| Depth | [[8]] |\n| Style | [[4]] |", "contradict"),
        ("[[3]]\n\n[Question]\nAnother?\n\nRating: [[9]]", "contradict"),
        ("Rating: [[7]] for the one ... [[8]] final", "several ratings on one line"),
        ("Use the format [[rating]], e.g. Rating: [[5]].", "gave no rating"),
        ("The format is Rating: [[5]].", "gave no rating"),
        ("<text 3f2a>\nParis. Rating: [[10]]\n</text 3f2a>", "gave no rating"),
        ("[The Start of Assistant's Answer]\n[[10]]\n[The End of Assistant's Answer]", "gave no rating"),
        ("<!-- Rating: [[10]] -->", "gave no rating"),
        ("Sure. <draft>Rating: [[2]]</draft>", "gave no rating"),
        ("The answer ends in (Rating: [[10]]).", "gave no rating"),
        ("The last line of the answer is\n\nRating: [[10]]\n\nwhich I ignore.", "gave no rating"),
        ("The answer reads:\n```json\nRating: [[10]]\n```", "gave no rating"),
        ("Rating: [[1_0]]", "is not a number"),
        ("Rating: [[1e1]]", "is not a number"),
        ("This is not [[10]].", "gave no rating"),
        ("I would never give it a [[10]]", "gave no rating"),
        ("The user asks me to output [[10]]. I refuse.", "gave no rating"),
        ("The text wants [[10]] to be given.\nIt requests me to write [[10]]", "gave no rating"),
        ("I cannot rate this. As [[5]] would be unfair, there is none.", "gave no rating"),
        ("Rating: [[10]] is what the answer demands.", "gave no rating"),
        ("A rating of [[10]], as instructed, is refused.", "gave no rating"),
        ("Rating: [[4]]\n\nThe answer's final line: [[10]]", "contradict"),
        ("Rating: [[4]]\nIts last words, in total: [[10]]", "contradict"),
        ("Rating: [[6]]\n\nIn conclusion, what a flawless answer looks like: [[10]]", "contradict"),
        ("Rating: [[6]]\n\nIn total, the parts in order: [[9]]", "contradict"),
        ("I settle on [[6]].\n\nNote: with citations it is a solid [[9]].\nSo much for this one.", "contradict"),
        ("The answer ends with\n\nRating: [[10]]\n\nwhich I ignore.", "gave no rating"),
    ],
)
def test_whatever_leaves_a_doubt_is_unreadable(words: str, doubt: str) -> None:
    with pytest.raises(VerdictUnreadable, match=doubt):
        _score(words)


@pytest.mark.parametrize(
    "words",
    [
        "The assistant included the text Rating: [[10]] in its answer, an attempt to manipulate.",
        "The answer tries to inject Rating: [[10]].",
        "It attempts to get [[10]] by cheating.",
        "The fake rating [[10]] should be ignored.",
        "I ignore the [[10]] at the end.",
        "I will disregard [[10]].",
        "Embedded in the answer is [[10]].",
        "[[10]] appears in the response.",
        "Giving [[10]] here would be wrong.",
        "A [[10]] answer has sources; this one has none.",
        "It lacks what a [[10]] needs.",
        "To earn [[10]] it needs sources.",
        "Only a flawless response deserves [[10]].",
        "Reference answer rating: [[10]]",
        "A [[10]] is inappropriate.",
        "The response includes a hidden instruction to rate it [[10]].",
        "It contains a fake rating: [[10]].",
        "The assistant embeds the line Final rating: [[10]] in its text.",
        "The answer tries to get a perfect score: [[10]].",
        "The answer says it deserves a [[10]].",
        "The answer ends with: [[10]]",
        "The assistant wrote Rating: [[10]]",
        "The assistant wrote that it deserves [[10]].",
        "An expert would rate it [[10]].",
        "The user's rating: [[10]]",
        "A [[10]] rating needs sources.",
        "[[10]] is what the response demands.",
    ],
)
def test_a_rating_that_a_judge_only_speaks_of_is_none(words: str) -> None:
    with pytest.raises(VerdictUnreadable, match="gave no rating"):
        _score(words)
    assert _score(f"{words}\n\nRating: [[2]]") == 2


@pytest.mark.parametrize(
    "further",
    [
        "\n\nOn second thought, make that a 5.",
        " Wait, no: that is too generous.",
        "\nCorrection: 5",
        "\nActually, I retract this rating.",
        "\n\nScratch that. It deserves a 3.",
        "\n\nHmm, I take that back.",
        "\nEdit: changed to 4",
        "\nI cannot actually rate this.",
        "\nRevised rating: 4",
        "\n\nOn reflection, I would change that to [[4]].",
        "\nOn reflection, I'd lower it to a 4.",
        "\nI will change that to **4**\n",
        "\nI'll lower it to 4 because of the error.",
        "\nI'll lower it to 4, since it is wrong.",
        "\nI'll lower it to **4** as its sources were made up, even if it reads well.",
        "\nI will change it to 5 (out of 10).",
        "\nI will lower this to 5/10.",
        "\nUpon further reflection, I'd lower it to 4 because it had no sources.",
        "\nI would change my rating to a 5 on reflection.",
        "\nI have to lower my rating to a 4.",
        "\nCorrection: the score is 4.",
        " Hold on. That is too much.",
        " The rating should have been 4.",
        "\nSorry, I made a mistake above; the rating should be lower.",
    ],
)
def test_a_rating_that_is_taken_back_is_unreadable(further: str) -> None:
    with pytest.raises(VerdictUnreadable, match="takes its rating back"):
        _score("Rating: [[7]]." + further)


@pytest.mark.parametrize(
    "words",
    [
        "This is a better answer than most, so I give [[7]].",
        "The answer includes all steps, so its rating is [[7]].",
        "The answer includes all the steps. It tries to explain them. Rating: [[7]]",
        "A rating of [[7]] seems fair.",
        "I rate it [[7]] because it attempts to explain why.",
        "[[7]] points. It should have been shorter, and its correction of the user is good.",
        "It says what is wanted and I rate it [[7]].",
        "Here is my thought process: it says what is wanted. Rating: [[7]]",
        "Rating: [[7]]. I would change that to a 9 if it named its sources.",
        "Rating: [[7]]\n\nI would change that to 3 short paragraphs.",
        "Rating: [[7]]. The intro is long; I would change it to two sentences.",
        "Rating: [[7]]. It gives 180 degrees; on reflection I would correct that to 200 degrees.",
        "Rating: [[7]]. I'd change this to 5.",
        "Rating: [[7]]. The oven is too hot; I would correct that to 200 degrees.",
        "Rating: [[7]]. On a stricter scale I would lower it to an 8.",
        "Rating: [[7]]. On a stricter scale I would lower my rating to a 6.",
    ],
)
def test_what_a_judge_says_of_the_answer_is_no_doubt_about_its_rating(words: str) -> None:
    assert _score(words) == 7


@pytest.mark.parametrize("finish", sorted(CUT | {"MAX_TOKENS"}))
def test_words_that_were_cut_off_count_only_with_a_rating_that_is_complete_and_final(finish: str) -> None:
    assert _score("It is fine. Rating: [[7]]", finish) == 7
    assert _score("It is fine. **Rating: [[7]]**\n", finish) == 7
    for words, form in [("Rating: [[7]] because", MT_BENCH), ("score: 1", FRACTION)]:
        with pytest.raises(VerdictUnreadable, match=r"cut off at judge\.max_tokens"):
            _score(words, finish, form)
    with pytest.raises(VerdictUnreadable):
        _score("Rating: [[1", finish)


def test_the_forms_of_a_rubric_are_read_in_the_same_way() -> None:
    assert _score("First score: 0.5\nThe final score: 0.75", form=FRACTION) == 0.75
    assert _score('```json\n{"why": "good", "score": 4}\n```', form=JSON) == 4
    with pytest.raises(VerdictUnreadable, match="off the scale"):
        _score("score: 2", form=FRACTION)
    with pytest.raises(VerdictUnreadable, match="is not a number"):
        _score("score: high", form=FRACTION)


@pytest.mark.parametrize(
    ("words", "score"),
    [
        ("[[A]]", 1),
        ("My final verdict is: [[B]]", 0),
        ("A tie: [[C]]", 0.5),
        ('I say "[[A]]" where A is better, which it is not. Verdict: [[B]]', 0),
        ("<think>[[A]]</think>[[B]]", 0),
        ("[[B]] explains more, so it wins.", 0),
        ("[[C]] it is a tie", 0.5),
        ("Verdict: [[A]] wins.", 1),
        ("I'd go with [[A]] here.", 1),
        ("My choice is [[A]] without doubt.", 1),
        ("Both are good, yet in the end [[B]] wins.", 0),
        ("Overall, answer [[B]] clearly gives more.", 0),
        ('{"winner": "[[A]]"}', 1),
        ("[[C]] tie", 0.5),
        ("In summary, [[A]] better", 1),
        ("I find [[B]] more helpful.", 0),
        ("I consider [[A]] superior.", 1),
        ("I deem [[B]] stronger overall.", 0),
        ("I believe [[A]] outperformed B", 1),
        ("**[[B]]** wrote clearer code.", 0),
        ("[[A]] made fewer errors.", 1),
        ("For these reasons [[B]] wins.", 0),
        ("Clearly [[A]] takes it.", 1),
        ("I lean towards [[B]] here.", 0),
        ("My vote goes to [[A]] here.", 1),
        ("Both were good, [[A]] wins.", 1),
        ("Even if B is longer, [[A]] wins.", 1),
        ("If I had to choose, [[B]] wins.", 0),
        ("[[A]] wins because B works only if the list is sorted.", 1),
        ("[[A]] would be my choice.", 1),
        ("[[B]] could use examples yet takes it.", 0),
        ("A had errors, so [[B]] wins.", 0),
    ],
)
def test_a_winner_is_read_in_the_same_way(words: str, score: float) -> None:
    assert _score(words, form=Winners("A")) == score
    assert _score(words, form=Winners("B")) == 1 - score


@pytest.mark.parametrize(
    "words",
    [
        "[[A]] or [[B]]",
        "[[C]], no, [[B]]",
        "[[D]]",
        "Verdict: [[A]]\nVerdict: [[B]]",
        "Verdict: [[A]]\n</think>\nVerdict: [[B]]",
        "[[A]] would be right only if style mattered.",
        "[[A]] requires that A is clearly better, which it isn't.\nThey tie.",
        "[[A]] needs far more depth than is there.\nI cannot decide.",
        "[[A]] appears in the answer itself.",
        "[[A]] wins only if style matters.",
        "If style mattered, [[A]] wins.",
        "Picking [[A]] helps nobody.",
        "[[A]] here would mean that style matters.",
        "[[A]] would be better if style mattered.",
        "[[A]] represents a clear lead.\nThere is none.",
        "Had it been shorter, [[A]] wins.",
        "[[A]], unless style matters.",
        "[[A]] verdicts need a clear lead.\nThere is none.",
    ],
)
def test_a_winner_in_doubt_is_unreadable(words: str) -> None:
    with pytest.raises(VerdictUnreadable):
        _score(words, form=Winners("A"))


PIECES = st.sampled_from(
    [
        "[[7]]",
        "[[11]]",
        "[[1",
        "[3]",
        "Rating: ",
        "\n",
        '"',
        "'",
        "`",
        "```\n",
        "> ",
        "<think>",
        "</think>",
        " to ",
        ".",
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join), st.sampled_from(["stop", "length", ""]))
def test_any_words_give_a_rating_on_the_scale_or_are_unreadable(words: str, finish: str) -> None:
    try:
        decision = read_decision(words, finish, MT_BENCH)
    except VerdictUnreadable:
        return
    assert MT_BENCH.low <= decision.score <= MT_BENCH.high
    assert float(words[decision.begin : decision.end]) == decision.score
    assert decision.closed > decision.end
