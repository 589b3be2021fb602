"""Texts as vectors, so that a strategy knows which demonstrations are alike. Kept by digest, so that a resumed search
meets the same ones."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from search.run_directory.files import Floats, keep_array, read_array

_FEATURES, _SIZE = 2**16, 64
_CHUNK = 2000  # texts at a time
_FITTED = 5000  # texts at most, from which weights of words are learnt
_DIGITS, _CLOSENESS_DIGITS = 6, 9


@dataclass(frozen=True, slots=True)
class Embedding:
    """The embedding of a pool and of questions.

    Attributes:
        demonstrations: [N, p], rows of length 1 (or 0 for an empty text).
        questions: [Q, p], likewise.
    """

    demonstrations: Floats
    questions: Floats

    def closeness(self) -> Floats:
        """Mean cosine of each demonstration to the questions, [N]."""
        closeness: Floats = np.round(self.demonstrations @ self.questions.mean(axis=0), _CLOSENESS_DIGITS)
        return closeness


def embed(demonstrations: Sequence[str], questions: Sequence[str], kind: str, folder: Path) -> Embedding:
    """Vectors of all texts, from `folder` where they have been kept.

    Args:
        kind: `hashed`, or the name of a sentence-transformers model; where that is not installed or cannot be reached,
            `hashed` takes its place, and stays in it for this folder.
        folder: of the run.
    """
    texts = [*demonstrations, *questions]
    path = folder / f"embedding-{digest_of([kind, texts])}.npy"
    vectors = read_array(path)
    if vectors is None:
        vectors = _normalised(hashed(texts) if kind == "hashed" else _by_model(texts, kind))
        keep_array(path, vectors)
    return Embedding(vectors[: len(demonstrations)], vectors[len(demonstrations) :])


def digest_of(content: object) -> str:
    """Return 16 hexadecimal digits that stand for JSON content."""
    return sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:16]


def hashed(texts: Sequence[str]) -> Floats:
    """Return a latent semantic analysis of hashed words and letter groups, [n, at most 64]; it needs no model and no
    network, and is learnt from at most 5,000 of the texts."""
    from sklearn.decomposition import TruncatedSVD  # noqa: PLC0415 -- heavy, and only some strategies embed
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer  # noqa: PLC0415
    from sklearn.pipeline import make_union  # noqa: PLC0415

    words = HashingVectorizer(n_features=_FEATURES, ngram_range=(1, 2), alternate_sign=False)
    letters = HashingVectorizer(n_features=_FEATURES, analyzer="char_wb", ngram_range=(3, 5), alternate_sign=False)
    count, weights = make_union(words, letters), TfidfTransformer(sublinear_tf=True)
    fitted = [texts[number] for number in _spread(len(texts), _FITTED)]
    counts = weights.fit_transform(count.fit_transform(fitted))
    met = np.unique(counts.indices)  # a hash that no text has changes nothing but the time
    size = min(_SIZE, len(texts) - 1, len(met))
    if size < 2:
        return np.zeros((len(texts), 1))
    analysis = TruncatedSVD(size, random_state=0)
    with np.errstate(invalid="ignore"):  # where all texts are equal, shares of no variance, which nobody reads
        vectors: Floats = analysis.fit_transform(counts[:, met])
    if len(fitted) < len(texts):
        parts = [analysis.transform(weights.transform(count.transform(chunk))[:, met]) for chunk in _chunks(texts)]
        vectors = np.concatenate(parts)
    return vectors


def closeness_of_words(demonstrations: Sequence[str], questions: Sequence[str]) -> Floats:
    """Return the mean cosine of each demonstration's words to the questions', weighted with TF-IDF; [N]."""
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer  # noqa: PLC0415 -- heavy

    words = HashingVectorizer(n_features=_FEATURES, alternate_sign=False)
    every = [demonstrations[number] for number in _spread(len(demonstrations), _FITTED)]
    weights = TfidfTransformer(sublinear_tf=True).fit(words.transform([*every, *questions[:_FITTED]]))
    parts = [weights.transform(words.transform(chunk)).sum(axis=0) for chunk in _chunks(questions)]
    middle = sum((np.asarray(part).ravel() for part in parts), np.zeros(_FEATURES))
    near = [weights.transform(words.transform(chunk)) @ middle for chunk in _chunks(demonstrations)]
    closeness: Floats = np.round(np.concatenate([np.zeros(0), *near]) / max(1, len(questions)), _CLOSENESS_DIGITS)
    return closeness


def _spread(count: int, most: int) -> list[int]:
    """Return at most `most` of the numbers below `count`, evenly spread."""
    some = min(count, most)
    return [place * count // some for place in range(some)]


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + _CHUNK] for start in range(0, len(texts), _CHUNK))


def _by_model(texts: Sequence[str], name: str) -> Floats:
    try:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 -- optional

        from workers.shared_prefix.checkpoint import loading_alone  # noqa: PLC0415 -- heavy

        with loading_alone():
            model = SentenceTransformer(name)
    except (ImportError, OSError, ValueError):
        return hashed(texts)
    vectors: Floats = np.asarray(model.encode(list(texts)), dtype=float)
    return vectors


def _normalised(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = np.round(vectors / np.where(length > 0, length, 1), _DIGITS)
    return unit
