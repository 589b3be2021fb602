"""The kit, held against the real engine and against a fake."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.schema.model import ModelConfig
from tests.kits.engine_kit import EngineKit
from tests.tiny_model import random_llama, random_mistral, random_unshared, save
from tests.workers.engines.echo_engine import EchoEngine
from workers.engines.transformers_engine import TransformersEngine
from workers.text_model import Engine


class TestEchoEngine(EngineKit):
    @pytest.fixture
    def engine(self) -> Engine:
        return EchoEngine()


@pytest.fixture(scope="module")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(random_llama(context=96), tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def window_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(random_mistral(window=16, context=96), tmp_path_factory.mktemp("mistral"))


@pytest.fixture(scope="module")
def unshared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(random_unshared(context=96), tmp_path_factory.mktemp("diffllama"))


class TestTransformersEngine(EngineKit):
    @pytest.fixture(scope="class", params=[2, 32])
    @staticmethod
    def engine(llama_folder: Path, request: pytest.FixtureRequest) -> Engine:
        return TransformersEngine.load(ModelConfig(name=str(llama_folder), batch_size=request.param))


class TestWholePrompts(EngineKit):
    """A model whose attention is not shared-prefix: the plain path."""

    @pytest.fixture(scope="class")
    @staticmethod
    def engine(unshared_folder: Path) -> Engine:
        return TransformersEngine.load(ModelConfig(name=str(unshared_folder)))


class TestSlidingWindow(EngineKit):
    @pytest.fixture(scope="class")
    @staticmethod
    def engine(window_folder: Path) -> Engine:
        return TransformersEngine.load(ModelConfig(name=str(window_folder)))
