"""Phrases that tell a rating which the judge only speaks of, denies or takes back from one that it gives.

Each pattern reads a bounded stretch before or behind a rating. A phrase makes a rating somebody else's only where its
object is a rating or an instruction: "includes a hidden rating [[10]]", but not "includes all points: [[9]]".
"""

import re

NEAR = 80
"""Characters before a rating that say what it is."""

_RATING = r"(?:ratings?|scores?|grades?|marks?|verdict)"
_TEXT = r"(?:texts?|lines?|strings?|phrases?|words?|sentences?|instructions?|commands?|following)"
_MARKS = r"[\s\"'*_`(\[>-]"
_FILL = (
    rf"(?:{_MARKS}+(?:{_RATING}|{_TEXT}|itself|me|us|it|its|this|that|judge|grader|evaluator|an?|the|of|into|to|for|with"
    r"|as|by|own|full|final|overall|perfect|high(?:est)?|top|maximum|best|possible|hidden|fake|false|forged|embedded"
    r"|injected|alleged|giv(?:e|ing)|award(?:ing)?|assign(?:ing)?|rate|saying|says?|output(?:ting)?"
    r"|print(?:ing)?|writ(?:e|ing)|is|(?:at|in) the (?:very )?(?:end|beginning|start|middle|answer|response|reply)"
    rf"(?: of (?:the|its) (?:answer|response|reply|text))?)\b){{0,12}}?"
)
_OBJECT = rf"(?:{_FILL}{_MARKS}*$|{_FILL}{_MARKS}*\b(?:{_RATING}|{_TEXT}){_MARKS}*:[\s\"'*_`(]*$)"
_OWN = (
    r"(?:\b(?:I|we|my)\b|\b(?:and|so|but|thus|hence|therefore)(?: \w+)? (?:deserves?|earns?|merits?|gets?|receives?"
    r"|warrants?|rates?|scores?|is worth)\b)"
)
_GAP = rf"(?:(?!{_OWN})[^.!?\n;,:]){{0,60}}"
_KIND = r"(?: (?:answer|response|reply|solution|one))?"
_GETS = r"(?:would|should|could|might|deserves?|gets?|earns?|receives?|merits?|scores?|is rated|has|needs?)"

_EXAMPLE = re.compile(
    r"(?:\be\.g\.?,?|\bfor (?:example|instance),?|\bsuch as|\b(?:out|scale|maximum|max(?:imum)? rating) of"
    r"|\b(?:maximum|max)(?: is)?|\bat most|\bup to|\bformat is)[\s\"'*`(:]*"
    rf"(?:{_RATING}[\s*_\"'`]*:[\s\"'*`(]*)?$",
    re.I,
)
_ASKED_OF_THE_ANSWER = re.compile(
    r"\b(?:(?:what|everything|all|anything|exactly|as|points|than)(?: that)?(?: was| is)? (?:the )?"
    r"(?:(?:user|question|prompt|task|instructions?) )?(?:asked|asks?|wants?|wanted|requests?|requested|said|says)"
    r"|(?:that|being|easily) said)\b(?: for\b)?",
    re.I,
)
"""What the answer had to do, and turns of speech: no words about a rating."""
_CLAIMED = re.compile(
    r"(?<!\bI )(?<!\bwe )"
    r"\b(?:says?|said|(?:wrote|writes) that|claims|claimed|claim (?:that|to)|asserts?|demands?|demanded|insists?|wants?"
    r"|wanted|(?:asks?|asked|asking|requests?|requested)(?: (?:me|us|you|the judge|the grader))? (?:for|to)\b"
    r"|gives? itself|gave itself|rates? itself|rated itself|awards? itself|tells? (?:me|us)|told (?:me|us)"
    r"|instructs?)\b"
    rf"(?:{_GAP}$|[\s*_]*:[\s\"'*_`(]*$|{_GAP}\b{_RATING}[\s*_]*:[\s\"'*_`(]*$)",
    re.I,
)
_SHOWN = re.compile(
    r"\b(?:wrote|writes|contain(?:s|ed|ing)?|includ(?:es?|ed|ing)|insert(?:s|ed|ing)?|inject(?:s|ed|ing)?|embed(?:s|ded|ding)?"
    r"|hid(?:es|den|ing)|(?:end|begin|start)(?:s|ed|ing)? (?:with|in)"
    r"|(?:tr(?:ies|ied|ying)|attempt(?:s|ed|ing)?) to \w+"
    r"|(?:an?|the|its|this|that|any) (?:fake|forged|false|alleged|hidden)"
    rf"|(?:fake|forged|false|alleged|hidden) {_RATING})\b(?:{_OBJECT}|(?<=with)\s*:[\s\"'*_`(]*$)",
    re.I,
)
_OF_ANOTHER = re.compile(
    rf"\b(?:human|users?|experts?)(?: (?:raters?|annotators?|judges?|experts?))?"
    rf"(?:(?:'s?)? {_RATING}\b(?: of)?[^\w.!?\n;,]*$"
    r"|(?: would)? (?:rates?|rated|gives?|gave|scores?|scored|graded|award(?:s|ed)?)\b"
    r"(?:(?!\b(?:I|we|my)\b)[^.!?\n;,:]){0,40}$"
    r"|(?: would (?:get|receive|earn))(?: an?| the)?[\s*_]*$)"
    rf"|\b(?:reference|baseline|gold){_KIND}(?:(?:'s)? {_RATING}|'s|,? {_GETS})\b"
    r"(?:(?!\b(?:I|we|my|this|it)\b)[^.!?\n;,]){0,40}$"
    rf"|^\W{{0,10}}(?:the )?(?:reference|baseline|gold){_KIND}\W*$"
    rf"|\b(?:an?|any|every|only) (?:perfect|flawless|ideal|better){_KIND} {_GETS}\b"
    r"(?:(?!\b(?:I|we|my|this|it)\b)[^.!?\n;,]){0,40}$",
    re.I,
)
_DENIED = re.compile(
    r"\b(?:(?:not|never|instead of|rather than)\s+(?:\w+\s+){0,3}[\"'*_`(]*$"
    rf"|(?:ignor|disregard|reject|refus)(?:e|es|ed|s|ing)?\b{_OBJECT})",
    re.I,
)
_REFUSED = re.compile(
    r"[\s\"'*_`)\]]*(?:would (?:not|have been|be (?:un\w+|in\w+|too|wrong|generous|excessive))"
    r"|(?:is|was) (?:not (?:an? |the |my )?(?:\w+ly )?(?:deserved|appropriate|justified|warranted|fair|right|correct"
    r"|possible|given|valid|earned|merited|rating|score|what)|un(?:fair|justified|deserved|warranted|earned|reasonable"
    r"|acceptable|realistic)|in(?:appropriate|correct|valid|flated)|wrong|too)"
    r"|(?:is|was|as) (?:what )?(?:the (?:answer|assistant|user|text|response)|it)(?:'s| itself)? (?:own|request|demand"
    r"|instruct|ask|want|claim|insist|suggest|says?\b|said\b)\w*"
    r"|(?:is|was|as) (?:requested|demanded|instructed|asked)|,? as (?:requested|demanded|instructed|asked))\b",
    re.I,
)
_SPOKEN_OF = re.compile(
    r"[\"'*_`)\]]*+[^\S\n]++(?=[a-z])(?!(?:because|since|as|for|due|given|out|points?|stars?|and|but|with|while|is|was"
    r"|seems?|feels?|reflects?|fits|although|though|on|overall|in|to|which|that|based|considering|owing|thanks"
    r"|indicat\w+|after|mainly|even|so|primarily|largely|mostly|chiefly|from|at|by|only|just|or|per|if|despite|not"
    r"|final(?:ly)?|total|would be (?:my|the|a|fair)"
    r"|(?:rating|score|grade|mark|verdict)(?! (?:needs?|requires?|would|should|must|means|calls|is reserved))"
    r")\b)(?![^\n]{0,200}\[\[)"
)
_CONDITION = re.compile(
    r"(?:(?<!\beven )(?<!\bas )\b(?:if(?! (?:any|forced|pressed|(?:I|we) (?:must|ha[dv]e? to)))|unless)\b"
    r"|(?:^|[.!?]\s+)(?:were|had)\b)(?:(?!\b(?:so|but|yet|thus|hence|therefore|still|overall)\b)[^.!?\n])*$"
    r"|(?:^|[.!?:;,]\s+|\b(?:and|but|that) )(?:(?:pick|choos|giv|award|select|declar|say|output|writ)ing"
    r"|to (?:earn|deserve|merit|get|justify))[\s\"'*_`(]*$",
    re.I,
)
_SUPPOSED = re.compile(
    r"[\"'*_`)\],]*+[^\S\n]++(?:(?:(?:\w{1,20}ly|also|still|here|verdicts?|alone) ){0,2}(?:needs?|requires?|means?"
    r"|calls|depends|presupposes|assumes|implies|represents|signifies|denotes|demands"
    r"|(?:appears|stands) (?:for|in|at|on|as)|is (?:reserved|meant)"
    r"|(?:would|could|might) (?:only )?(?:be (?:right|better|best|fair|correct|justified|apt"
    r"|warranted|chosen|given)|mean|need|require|imply|call|apply)|would\b[^.!?\n]{0,200}(?<!even )(?<!as )\bif)\b"
    r"|(?:(?!\b(?:because|since|as|for|that|which|while|and|but)\b)[^.!?\n,;:]){0,80},?\s?"
    r"\b(?:only (?:if|when)|unless)\b)"
)
"""What is said of a letter as a verdict, not of the answer that wins."""
_GIVEN = re.compile(
    rf"\b{_RATING}\b[\s*_\"'`]*(?:[:=]|is\b)[\s*_\"'`]*$"
    r"|\bI(?:'d| would| will|'ll)?(?: \w+)? (?:rate|give|award|assign|score|grade)\b[^.!?\n;]{0,60}$"
    r"|\b(?:[Mm]y|[Tt]he) (?:choice|pick|winner) is[\s*_\"'`]*$"
    r"|\bI(?:'d|'ll| will)? (?:go with|pick|choose|prefer|vote for)[\s*_\"'`]*$",
    re.I,
)
_NUMBER = r"(?:\d{1,3}(?:\.\d+)?|one|two|three|four|five|six|seven|eight|nine|ten)"
_CHANGE = r"(?:change|revise|lower|adjust|amend|correct)"
_TO = r"(?:down )?to (?:an? )?\W{0,5}"
_COUNTS_NOTHING = (
    r"(?=\W{0,5}(?:[.!;)]\W|[,(]|/ ?\d|—|\s[–-]|\n|\Z)|\W{0,5}\b(?:out of|points?|stars?|because|since|as|for|due|given"
    r"|instead|now|and|but|while|when|where|which|on reflection|to (?:reflect|account|match))\b)"
)
"""What stands behind a number that counts nothing: a full stop, a reason, but not "short paragraphs"."""
_REFLECTION = r"\b(?:up)?on (?:(?:further|closer|deeper) )?reflection\b"
_OPENS = r"(?:[.!?)\]]\s|\n|(?<=\]))\W{0,10}"
_RETRACTED = re.compile(
    r"\bon (?:second|further) thoughts?\b|\bscratch that\b|\btake (?:that|it|this) back\b"
    rf"|\bmake (?:that|it) an? \W{{0,5}}{_NUMBER}\b"
    r"|\bI(?: \w+)? (?:retract|withdraw) (?:my|the|this|that|it)\b"
    r"|\bI(?: (?!would|could|might|can|cannot)\w+)? (?:revise|reconsider|change|correct) (?:my|the|this|that)(?: \w+)? "
    rf"(?:{_RATING}|judge?ment|assessment|evaluation)\b"
    rf"|(?:\bI(?: will|'ll| must| should| have to| need to)?|{_REFLECTION}[^.!?\n]{{0,40}}\bI(?: would|'d)) "
    rf"{_CHANGE} (?:(?:that|it|this) {_TO}{_NUMBER}\b{_COUNTS_NOTHING}|(?:my|the) {_RATING} {_TO}{_NUMBER}\b)"
    r"(?![^.\n]{0,100}\b(?:(?<!even )if|unless|once|provided)\b)"
    rf"|\bI(?: would|'d) {_CHANGE} (?:that|it|this|(?:my|the) {_RATING}) {_TO}"
    rf"(?:{_NUMBER}\b(?: ?/ ?10| out of 10)?\W{{0,5}}{_REFLECTION}|(?<=\[){_NUMBER}\b"
    r"(?![^.\n]{0,100}\b(?:if|unless|were|had|with|without|once|provided)\b))"
    r"|\bI(?: \w+)? (?:can(?:not|'t| not)|won't|refuse to|decline to)(?: \w+)? (?:rate|score|judge|grade|evaluate)\b"
    r"(?= (?:this|it|that|the (?:answer|response|reply))\b(?!')|\s{0,5}(?:[.!;\n]|\Z))"
    r"(?![^.\n]{0,40}\b(?:higher|lower|more|above|better|worse|beyond|full)\b)"
    rf"|{_OPENS}(?:correction|edit(?:ed)?|updated?|revised|amended|erratum)\b"
    rf"(?:[^.\n:]{{0,20}}\b{_RATING}\b[^.\n:]{{0,20}}:|[*_ ]{{0,4}}:[^.\n]{{0,60}}\b{_RATING}\b"
    rf"|[*_ ]{{0,4}}:\W{{0,10}}(?:(?:changed|lowered|raised|now|to|an?|it|is|make|should|be) ){{0,5}}\W{{0,5}}"
    rf"{_NUMBER}\b\s{{0,3}}(?:/|out of|instead|points?|\W{{0,5}}(?:\n|\Z)))"
    rf"|{_OPENS}(?:(?:wait|hold on|actually, no)(?=\s?[,.!:…—–-]|\s{{0,3}}(?:\n|\Z))|no, wait\b)"
    r"|\bI (?:was|am) (?:mistaken|wrong)\b(?!-)|\bI(?: \w+)? made (?:a mistake|an error)\b"
    rf"|(?:[.!?;)\]]\s|\n)(?![^.!?\n]{{0,120}}\bif\b)[^.!?\n;]{{0,80}}?\b{_RATING}(?: \w{{1,30}})? "
    rf"(?:should|ought to|must) (?:be|have been)\b[^.\n]{{0,20}}\b{_NUMBER}\b",
    re.I,
)


def is_not_its_own(before: str, spoken: str, end: int, *, is_number: bool) -> bool:
    """Whether a rating is an example, somebody else's, refused, or a thing that the judge only speaks of.

    Args:
        before: the words before it, at most a few hundred characters.
        end: where the rating ends in `spoken`.
        is_number: a letter names an answer, too: what is said of that ("[[A]] explains more") decides for it.
    """
    before = before.rstrip("[")  # the weaker form `[7]` also matches inside `[[7]]`
    statement = _ASKED_OF_THE_ANSWER.sub("", before)
    if any(phrase.search(statement) for phrase in (_EXAMPLE, _CLAIMED, _SHOWN, _OF_ANOTHER)):
        return True
    if _REFUSED.match(spoken, end):
        return True
    if _GIVEN.search(before):
        return False
    is_spoken_of = _SPOKEN_OF.match(spoken, end) is not None
    if is_number:
        return is_spoken_of
    is_conditional = is_spoken_of and _CONDITION.search(before) is not None
    return is_conditional or _SUPPOSED.match(spoken, end) is not None


def is_denied(before: str) -> bool:
    """Whether the words before a rating deny it ("not [[10]]", "I ignore the [[10]]")."""
    return _DENIED.search(before.rstrip("[")) is not None


def is_retracted(spoken: str, since: int) -> bool:
    """Whether the judge takes its rating back in the words from this position on."""
    return _RETRACTED.search(spoken, since) is not None
