import pytest

from evaluators.question import Question
from tests.fake_judge import FakeJudge
from tests.kits.judge_kit import JudgeKit, MakeJudge


class TestFakeJudge(JudgeKit):
    lacking = Question("q3", ("What?",))

    @pytest.fixture
    def make(self) -> MakeJudge:
        return lambda: FakeJudge(needs_reference=True)
