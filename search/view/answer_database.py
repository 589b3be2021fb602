"""The tables of an index of answers, in memory, and the functions that its queries have beside SQLite's own."""

import sqlite3
from hashlib import blake2b

_SCHEMA = """
CREATE TABLE trials (trial INTEGER PRIMARY KEY, side TEXT, prompt TEXT, candidate TEXT);
CREATE TABLE questions (number INTEGER PRIMARY KEY, question TEXT, category TEXT);
CREATE TABLE asked (
    id INTEGER PRIMARY KEY, trial INTEGER, number INTEGER, score REAL, change REAL, failure TEXT, length INTEGER,
    turns TEXT, keys TEXT);
CREATE INDEX by_candidate ON trials (candidate);
CREATE TABLE reviews (
    candidate TEXT, question TEXT, verdict TEXT, comment TEXT, blind INTEGER, PRIMARY KEY (candidate, question));
CREATE VIEW answers AS SELECT * FROM asked LEFT JOIN trials USING (trial) LEFT JOIN questions USING (number)
    LEFT JOIN reviews USING (candidate, question);
CREATE VIRTUAL TABLE words USING fts5 (query, answers, judge, content='');
"""


def open_database(salt: str) -> sqlite3.Connection:
    """Empty tables.

    Args:
        salt: of `shuffled`, the place of a prompt's answer to a question in a random order.
    """
    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.executescript(_SCHEMA)

    def shuffled(candidate: str, question: str) -> int:
        text = "\0".join((salt, candidate, question)).encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(text, digest_size=6).digest(), "big")

    database.create_function("shuffled", 2, shuffled, deterministic=True)
    database.create_function("casefold", 1, lambda text: text and text.casefold(), deterministic=True)
    return database
