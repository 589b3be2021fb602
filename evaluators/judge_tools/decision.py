"""The rating that a judge has decided on, as against the first one in its words.

A rating counts where the judge itself states it: outside its reasoning (`evaluators.judge_tools.reasoning`), outside
quotations (`evaluators.judge_tools.quotations`), not as an end of the scale, not as an example. Of those that are left
the most explicit one is the decision: "Final rating:" before "Rating:", or a line for itself, before one in a
sentence. Whatever leaves a doubt raises: two ratings that differ and are equally explicit, another one on the same line
or behind it, a range, a rating off the scale, words cut off before the rating was complete.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from evaluators.failures import VerdictUnreadable
from evaluators.judge_tools.attribution import NEAR, is_denied, is_not_its_own, is_retracted
from evaluators.judge_tools.quotations import Quotations
from evaluators.judge_tools.ratings import RatingForm, ending
from evaluators.judge_tools.reasoning import begins_unopened, without_reasoning
from workers.service.endings import CUT

DECISION_VERSION = "decision/7"
"""Raise it whenever some words would get another rating: it is part of the fingerprint of every judge that reads
decisions."""

_LABEL = re.compile(
    r"\b(?:ratings?|rated?|scores?|grades?|marks?|verdict|decision|judge?ment|winner|better|give|award|assign"
    r"|deserves?|gesamt(?:note|bewertung)|bewertung|punktzahl|calificaci[oó]n|puntuaci[oó]n|punteggio|оценка|балл)\b"
    r"|\b(?:note|nota|voto)(?: (?:finale?|globale?|total|complessiv[oa]))?[\s*_\"'`]*[:=]\W*$"
    r"|[评評]分|得分|分数|评级|点数|評価|점수|평점",
    re.I,
)
_FINAL = re.compile(
    r"\b(?:final|finally|overall|total|concluding|conclusion|gesamt\w*|endg[uü]ltige?|finale?|итоговая)\b"
    r"|最终|最終|总体|总分|최종",
    re.I,
)
_FINAL_ALONE = re.compile(
    r"[\W_]*(?:final|finally|overall|total|conclusion|gesamt|最终|最終|总体|总分|최종)[\s*_\"'`]*[:：][\W_]*", re.I
)
_PART_OF_THE_ANSWER = re.compile(
    r"(?:\b(?:answer|response|reply|assistant|model|text)'s|\bits) (?:\w+ ){0,2}"
    r"(?:lines?|words?|sentences?|paragraphs?)\b",
    re.I,
)
_TENTATIVE = re.compile(
    r"\b(?:draft|initial(?:ly)?|preliminary|tentative(?:ly)?|provisional|previous(?:ly)?|first impression|at first"
    r"|would|could|might|may|if|not|instead of|rather than|from)\b[^.!?\n]{0,40}$",
    re.I,
)
_INTRODUCES = re.compile(
    r"(?:rating|score|grade|verdict|winner|choice|decision|better)[\"'*_\s]*[:=]\s*$"
    r"|\b(?:I|my)\b[^.!?\n]{0,80}\b(?:rat|scor|grad|verdict)[^.!?\n]*:\s*$",
    re.I,
)
_CONNECTS = re.compile(
    r"[\s\"'*_`)]*(?:\([^)\n]{0,40}\))?\s*(?:to|through|and|or|-|–|—|\.{2,3}|…|/|vs\.?)\s*[\"'*_`(]*"
)
_AFTER = re.compile(r"[\s.*_\])}>\"'`»”,;!/]*|</\w+>\s*")
_MALFORMED = re.compile(r"\[\[([^\[\]\n]{0,20}\d[^\[\]\n]{0,20})\]\]")
_BLANK = re.compile(r"(?:[\W_]|</?\w{1,20}>)*")
_LONGEST_LINK = 100  # characters between the ends of a scale
_INTRODUCTION = 300  # characters before a quotation that may introduce it
_MOST_RATINGS = 1_000
_LONGEST = 2_000_000  # characters; no judge explains itself at such length


@dataclass(frozen=True, slots=True)
class Decision:
    """A rating in a judge's words.

    Attributes:
        score: what it is worth.
        begin, end: where it stands, without its brackets.
        closed: where its brackets end.
    """

    score: float
    begin: int
    end: int
    closed: int


class _Weight(IntEnum):
    """How explicit a rating is: "not [[7]]", "at first [[7]]", one in a sentence, "Rating: [[7]]" or one on a line for
    itself, "Final rating: [[7]]"."""

    DENIED = -2
    TENTATIVE = -1
    IN_A_SENTENCE = 0
    NAMED = 1
    FINAL = 2


@dataclass(frozen=True, slots=True)
class _Stated:
    """A rating that the judge states itself.

    Attributes:
        rating: as it is written.
        begin, end: of the rating.
        outer_begin, outer_end: with its brackets.
        weight: how explicit it is.
    """

    rating: str
    begin: int
    end: int
    outer_begin: int
    outer_end: int
    weight: _Weight


def read_decision(words: str, finish: str, form: RatingForm) -> Decision:
    """The rating that a judge has decided on.

    Args:
        words: all that it wrote, reasoning included.
        finish: why it ended, in its service's words; "" where that is not known.

    Raises:
        VerdictUnreadable: there is none, or there is a doubt which one it is.
    """
    if len(words) > _LONGEST:
        raise VerdictUnreadable(f"the judge wrote {len(words):,} characters, more than a verdict has; {ending(words)}")
    quotations = Quotations(words)
    spoken = without_reasoning(words, quotations.holds)
    for number, pattern in enumerate(form.patterns):
        matches = [match for match in pattern.finditer(spoken) if match[1]]
        if number == 0 and form.ends is not None and pattern.search("[[1]]"):
            matches += [match for match in _MALFORMED.finditer(spoken) if not pattern.fullmatch(match[0])]
        if len(matches) > _MOST_RATINGS:
            raise VerdictUnreadable(f"the judge gave {len(matches):,} ratings; {ending(words)}")
        stated = _stated(spoken, sorted(matches, key=lambda match: match.start()), quotations, form)
        if number > 0:  # a weaker form counts only where it is called a rating
            stated = [rating for rating in stated if rating.weight >= _Weight.NAMED]
        if any(rating.weight > _Weight.DENIED for rating in stated):
            decision = _decided(spoken, stated, finish, form)
            if begins_unopened(words, spoken):
                _check_unopened(words, spoken, quotations, form, decision)
            return decision
    raise VerdictUnreadable(f"the judge gave no rating; {ending(words)}")


def _check_unopened(words: str, spoken: str, quotations: Quotations, form: RatingForm, decision: Decision) -> None:
    """Raises VerdictUnreadable where a closing tag takes back another rating that was called one: the tag may be the
    answer's."""
    taken_back = [match for match in form.patterns[0].finditer(words) if match[1] and not spoken[match.start()].strip()]
    for rating in _stated(words, taken_back[:_MOST_RATINGS], quotations, form):
        if rating.weight >= _Weight.NAMED and not _same(rating.rating, words[decision.begin : decision.end]):
            raise VerdictUnreadable(f"the judge gave ratings on both sides of a closing tag; {ending(words)}")


def _stated(spoken: str, matches: Sequence[re.Match[str]], quotations: Quotations, form: RatingForm) -> list[_Stated]:
    """Ratings that are no quotations, ends of the scale, examples or other people's words."""
    ends = _ends_of_scale(spoken, matches, form)
    stated = []
    for index, match in enumerate(matches):
        before = _before(spoken, match, quotations)
        if before is None or index in ends:
            continue
        if is_not_its_own(before, spoken, match.end(), is_number=form.ends is not None):
            continue
        weight = _weight(before, spoken[match.start() : match.start(1)])
        if weight == _Weight.IN_A_SENTENCE and match.re not in form.patterns[1:] and _is_alone(spoken, match):
            weight = _Weight.NAMED
        stated.append(_Stated(match[1], *match.span(1), *match.span(), weight))
    return stated


def _before(spoken: str, match: re.Match[str], quotations: Quotations) -> str | None:
    """The words on the line before a rating, or a short heading above it; None where the rating is quoted, unless what
    is outside the quotation introduces it as a rating (`"rating": "[[7]]"`)."""
    quotation = quotations.around(match.start(1))
    position = match.start() if quotation is None else min(quotation[0], match.start())
    line = spoken[spoken.rfind("\n", 0, position) + 1 : position]
    if quotation is not None:
        line = line[-_INTRODUCTION:]
        return line if _INTRODUCES.search(line) else None
    if not line.strip(" \t*_#>-\"'`"):
        above = spoken[:position].rstrip(" \t\n*_#>-\"'`").rsplit("\n", 1)[-1]
        line = above if len(above.strip()) <= 40 and not re.search(r"\[\[", above) else ""
    return line[-NEAR:]


def _weight(before: str, opening: str) -> _Weight:
    if is_denied(before):
        return _Weight.DENIED
    clause = re.split(r"[.!?;](?=\s)", before + opening)[-1]
    if _TENTATIVE.search(clause):
        return _Weight.TENTATIVE
    label, final = _LABEL.search(clause), _FINAL.search(clause)
    if (label and final and not _PART_OF_THE_ANSWER.search(clause)) or _FINAL_ALONE.fullmatch(clause):
        return _Weight.FINAL
    return _Weight.NAMED if label or final else _Weight.IN_A_SENTENCE


def _ends_of_scale(spoken: str, matches: Sequence[re.Match[str]], form: RatingForm) -> set[int]:
    """Indices of ratings that only name the scale ("from [[1]] to [[10]]")."""
    ends: set[int] = set()
    for index, (first, second) in enumerate(pairwise(matches)):
        near = second.start() - first.end() <= _LONGEST_LINK
        if form.ends is not None and near and _CONNECTS.fullmatch(spoken, first.end(), second.start()):
            named = {_number(first[1]), _number(second[1])}
            ends |= {index, index + 1} if named == set(form.ends) else set()
    return ends


def _number(rating: str) -> float | None:
    try:
        return float(rating)
    except ValueError:
        return None


def _decided(spoken: str, stated: Sequence[_Stated], finish: str, form: RatingForm) -> Decision:
    firm = [rating for rating in stated if rating.weight > _Weight.TENTATIVE]
    firm = firm or [rating for rating in stated if rating.weight > _Weight.DENIED]
    most = max(rating.weight for rating in firm)
    chosen = [rating for rating in firm if rating.weight == most][-1]
    for problem in _objections(spoken, stated, firm, chosen, finish):
        raise VerdictUnreadable(f"{problem}; {ending(spoken.rstrip())}")
    try:
        return Decision(form.worth(chosen.rating), chosen.begin, chosen.end, chosen.outer_end)
    except VerdictUnreadable as error:
        raise VerdictUnreadable(f"{error}; {ending(spoken.rstrip())}") from None


def _objections(
    spoken: str, stated: Sequence[_Stated], firm: Sequence[_Stated], chosen: _Stated, finish: str
) -> Iterator[str]:
    """Why the chosen rating may not be the decision."""
    others = [rating for rating in stated if not _same(rating.rating, chosen.rating)]
    if any("\n" not in spoken[min(rating.end, chosen.end) : max(rating.begin, chosen.begin)] for rating in others):
        yield "the judge gave several ratings on one line"
    if any(rating.weight == chosen.weight for rating in others if rating in firm):
        yield "the judge gave ratings that contradict each other"
    if any(rating.begin > chosen.begin for rating in others if rating in firm):
        yield "the judge gave another rating after its decision"
    if is_retracted(spoken, chosen.outer_end):
        yield "the judge takes its rating back"
    ends_the_words = _AFTER.fullmatch(spoken, chosen.outer_end) is not None
    if finish.lower() in CUT and (not ends_the_words or chosen.outer_end == chosen.end):
        yield "the judge's words were cut off at judge.max_tokens before its rating was complete and final"


def _is_alone(spoken: str, rating: re.Match[str]) -> bool:
    """Whether it has a line for itself."""
    begin = spoken.rfind("\n", 0, rating.start()) + 1
    end = spoken.find("\n", rating.end())
    before, after = spoken[begin : rating.start()], spoken[rating.end() : None if end < 0 else end]
    return _BLANK.fullmatch(before) is not None and _BLANK.fullmatch(after) is not None


def _same(rating: str, other: str) -> bool:
    first, second = _number(rating), _number(other)
    return rating == other if first is None or second is None else first == second
