from tests.plain_chat import PlainChat
from workers.chat_template import DATE, SPELLING, ChatTemplate, arguments_of_the_day, on_one_day
from workers.prompt import ChatMessage

TALK: list[ChatMessage] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Why?"},
    {"role": "assistant", "content": "So."},
]


class Deaf(PlainChat):
    """Leaves system messages out."""

    def apply_chat_template(self, conversation: list[ChatMessage], **options: object) -> str:
        return super().apply_chat_template([one for one in conversation if one["role"] != "system"], **options)


def test_a_prompt_is_open_for_the_answer_and_a_transcript_is_closed() -> None:
    template = ChatTemplate(PlainChat())
    assert template.prompt(TALK[:2]) == "<system> Be brief. </system>\n<user> Why? </user>\n<assistant>"
    assert template.transcript(TALK).endswith("<user> Why? </user>\n<assistant> So. </assistant>\n")


def test_without_a_system_role_the_system_message_opens_the_first_user_message() -> None:
    assert ChatTemplate(Deaf()).transcript(TALK) == "<user> Be brief.\n\nWhy? </user>\n<assistant> So. </assistant>\n"


def test_messages_without_a_system_message_stay_as_they_are() -> None:
    assert ChatTemplate(Deaf()).prompt(TALK[1:2]) == "<user> Why? </user>\n<assistant>"


class Clocked(PlainChat):
    """Has a template that asks the clock."""

    chat_template = on_one_day("{{ strftime_now('%Y') }}")


def test_a_clock_that_stands_still_is_another_spelling_and_other_templates_keep_theirs() -> None:
    assert ChatTemplate(PlainChat()).version == SPELLING
    assert ChatTemplate(Clocked()).version == f"{SPELLING} on {DATE}"


def test_whoever_spells_a_chat_elsewhere_is_told_the_same_day() -> None:
    asks = on_one_day("{{ strftime_now('%Y') }}")
    assert arguments_of_the_day(asks) == {"date_string": DATE, "chat_template": asks}
    assert arguments_of_the_day(on_one_day("{{ date_string }}")) == {"date_string": DATE}
    assert on_one_day(asks) == asks
