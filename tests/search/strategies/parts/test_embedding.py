"""Texts as vectors."""

from pathlib import Path

import numpy as np
import pytest

from search.strategies.parts.embedding import closeness_of_words, embed, hashed

DEMONSTRATIONS = [
    "How do I bake bread?\n\nMix flour, water, salt and yeast, knead, let rise, bake.",
    "How do I bake a cake?\n\nMix flour, sugar, eggs and butter, then bake.",
    "Why is the sky blue?\n\nAir scatters blue light more than red light.",
    "Write a function that sorts numbers.\n\ndef sort(numbers): return sorted(numbers)",
]
QUESTIONS = ["How do I bake rolls with flour and yeast?", "Which flour do I need to bake a cake?"]


def test_texts_about_the_same_thing_are_near_each_other(tmp_path: Path) -> None:
    found = embed(DEMONSTRATIONS, QUESTIONS, "hashed", tmp_path)
    similarity = found.demonstrations @ found.demonstrations.T
    assert similarity[0, 1] > max(similarity[0, 2], similarity[0, 3])
    assert set(np.argsort(-found.closeness())[:2]) == {0, 1}


def test_vectors_have_length_one(tmp_path: Path) -> None:
    found = embed(DEMONSTRATIONS, QUESTIONS, "hashed", tmp_path)
    assert np.allclose(np.linalg.norm(found.demonstrations, axis=1), 1, atol=1e-4)


def test_kept_vectors_are_read_again_and_belong_to_their_texts(tmp_path: Path) -> None:
    first = embed(DEMONSTRATIONS, QUESTIONS, "hashed", tmp_path)
    (file,) = tmp_path.iterdir()
    np.save(file, np.load(file) * 2, allow_pickle=False)
    assert np.array_equal(embed(DEMONSTRATIONS, QUESTIONS, "hashed", tmp_path).questions, 2 * first.questions)
    embed(DEMONSTRATIONS[:3], QUESTIONS, "hashed", tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_model_that_is_not_there_is_replaced_by_hashed_words(tmp_path: Path) -> None:
    missing = embed(DEMONSTRATIONS, QUESTIONS, str(tmp_path / "no model"), tmp_path)
    hashed = embed(DEMONSTRATIONS, QUESTIONS, "hashed", tmp_path)
    assert np.array_equal(missing.demonstrations, hashed.demonstrations)


def test_a_single_text_has_a_vector_too(tmp_path: Path) -> None:
    assert embed(["one"], [], "hashed", tmp_path).demonstrations.shape[0] == 1


@pytest.mark.parametrize("words", [["yes", "no"], ["yes"], ["a"], [""], ["?", "!"]])
def test_many_texts_of_a_tiny_vocabulary_have_vectors_too(words: list[str]) -> None:
    vectors = hashed([words[number % len(words)] for number in range(70)])
    assert vectors.shape[0] == 70
    assert np.isfinite(vectors).all()


def test_closeness_of_words_puts_those_first_that_share_words_with_the_questions() -> None:
    assert set(np.argsort(-closeness_of_words(DEMONSTRATIONS, QUESTIONS))[:2]) == {0, 1}
    assert closeness_of_words(DEMONSTRATIONS, []).tolist() == [0, 0, 0, 0]
    assert closeness_of_words([], QUESTIONS).shape == (0,)


@pytest.mark.heavy
def test_texts_beyond_those_that_weights_are_learnt_from_lie_near_their_like() -> None:
    topics = (DEMONSTRATIONS[0], DEMONSTRATIONS[3])
    vectors = hashed([f"{topics[number % 2]} variant {number}" for number in range(5200)])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert (unit[1:] @ unit[0])[1::2].min() > (unit[1:] @ unit[0])[::2].max()
