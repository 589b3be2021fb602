"""What a peer's script needs of the task; runs in the peer's environment, so it imports the standard library alone.

A script is called with the server's address, the name of its search, its budget in judged answers and a seed; it ends
by printing one line of JSON.
"""

import json
import sys
from threading import Lock
from urllib.request import Request, urlopen

ADDRESS, SEARCH, METHOD, BUDGET, SEED = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])


class AnswersSpent(Exception):
    """The budget of judged answers is spent."""


class PeerTask:
    """Pool and questions, and the judge's score of an answer.

    Attributes:
        pool: [{"id", "query", "answer"}].
        questions: the search questions, [{"id", "query", "reference"}].
        most: demonstrations that may be added.
        used: judged answers so far.
    """

    def __init__(self):
        described = self._call(ADDRESS + "/task")
        self.pool, self.questions, self.most = described["pool"], described["questions"], described["most"]
        self.used = 0
        self._ids = {(shown["query"], shown["answer"]): shown["id"] for shown in self.pool}
        self._questions = {asked["query"]: asked["id"] for asked in (*self.pool, *self.questions)}
        self._scores = {}
        self._lock = Lock()

    def answer(self, demonstrations, query):
        """The model's answer to a search question, or to a query of the pool, behind these (query, answer) pairs of the
        pool; one judged answer."""
        with self._lock:
            if self.used >= BUDGET:
                raise AnswersSpent
            self.used += 1
        names = [self._ids[tuple(pair)] for pair in demonstrations]
        body = {"search": SEARCH, "demonstrations": names, "question": self._questions[query]}
        judged = self._call(ADDRESS + "/judge", json.dumps(body).encode())
        self._scores[query, judged["answer"]] = (judged["score"] - 1) / 9
        return judged["answer"]

    def score(self, query, answer):
        """The judge's score of an answer of `answer`, from 0 to 1."""
        return self._scores[query, answer]

    def mean(self, demonstrations):
        """The mean score over all search questions, from 0 to 1."""
        scores = [self.score(asked["query"], self.answer(demonstrations, asked["query"])) for asked in self.questions]
        return sum(scores) / len(scores)

    def chosen(self, demonstrations, version):
        """Say which (query, answer) pairs the search ended with."""
        names = [self._ids[tuple(pair)] for pair in demonstrations]
        print(json.dumps({"demonstrations": names, "version": version}), flush=True)

    @staticmethod
    def _call(address, body=None):
        with urlopen(Request(address, body, {"Content-Type": "application/json"}), timeout=600) as reply:  # noqa: S310 -- ours
            return json.loads(reply.read())
