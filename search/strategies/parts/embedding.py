"""Texts as vectors, so that a strategy knows which demonstrations are alike. Kept by digest, so that a resumed search
meets the same ones."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from search.run_directory.files import Floats, keep_array, read_array

_FEATURES, _SIZE = 2**16, 64
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Embedding:
    """Of a pool and of questions.

    Attributes:
        demonstrations: [N, p], rows of length 1 (or 0 for an empty text).
        questions: [Q, p], likewise.
    """

    demonstrations: Floats
    questions: Floats

    def closeness(self) -> Floats:
        """Mean cosine of each demonstration to the questions, [N]."""
        closeness: Floats = np.round(self.demonstrations @ self.questions.mean(axis=0), 9)
        return closeness


def embed(demonstrations: Sequence[str], questions: Sequence[str], kind: str, folder: Path) -> Embedding:
    """Vectors of all texts, from `folder` where they have been kept.

    Args:
        kind: `hashed`, or the name of a sentence-transformers model; where that is not installed or cannot be reached,
            `hashed` takes its place, and stays in it for this folder.
        folder: of the run.
    """
    texts = [*demonstrations, *questions]
    digest = sha256(json.dumps([kind, texts], ensure_ascii=False).encode()).hexdigest()[:16]
    path = folder / f"embedding-{digest}.npy"
    vectors = read_array(path)
    if vectors is None:
        vectors = _normalised(hashed(texts) if kind == "hashed" else _by_model(texts, kind))
        keep_array(path, vectors)
    return Embedding(vectors[: len(demonstrations)], vectors[len(demonstrations) :])


def hashed(texts: Sequence[str]) -> Floats:
    """Latent semantic analysis of hashed words and letter groups, [n, at most 64]; needs no model and no network."""
    from sklearn.decomposition import TruncatedSVD  # noqa: PLC0415 -- heavy, and only some strategies embed
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer  # noqa: PLC0415
    from sklearn.pipeline import make_union  # noqa: PLC0415

    words = HashingVectorizer(n_features=_FEATURES, ngram_range=(1, 2), alternate_sign=False)
    letters = HashingVectorizer(n_features=_FEATURES, analyzer="char_wb", ngram_range=(3, 5), alternate_sign=False)
    counts = TfidfTransformer(sublinear_tf=True).fit_transform(make_union(words, letters).fit_transform(list(texts)))
    size = min(_SIZE, len(texts) - 1)
    if size < 2 or counts.nnz == 0:
        return np.zeros((len(texts), 1))
    vectors: Floats = TruncatedSVD(size, random_state=0).fit_transform(counts)
    return vectors


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
