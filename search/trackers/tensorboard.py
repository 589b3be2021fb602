"""TensorBoard: event files in a folder."""

import time
from collections.abc import Sequence
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from configs.schema.trackers import TensorBoardConfig
from search.trackers.tracker import Conclusion, Figures, Point, Tracked, with_now


class TensorBoardTracker:
    """Steps are answers; each process writes a file of its own, and says in it what of earlier ones no longer counts:
    so a step that a killed process wrote last is not there twice."""

    def __init__(self, config: TensorBoardConfig) -> None:
        self._directory = config.directory
        self._writer: EventFileWriter | None = None

    def begin(self, tracked: Tracked, last: int) -> int:
        self._writer = EventFileWriter(str(self._directory or tracked.path / "tensorboard"))
        self._add(last + 1, session_log=SessionLog(status=SessionLog.START))
        if last == 0:
            knobs = "\n".join(f"{name}: {value}" for name, value in tracked.knobs.items())
            self._add(0, summary=_text("config", _indented(knobs)))
        self._writer.flush()
        return last

    def note(self, points: Sequence[Point], now: Figures) -> None:
        for point in with_now(points, now):
            self._add(point.step, summary=_scalars(point.figures))
        self._flush()

    def conclude(self, conclusion: Conclusion) -> None:
        self._add(conclusion.step, summary=_scalars(conclusion.figures))
        for name, text in conclusion.files.items():
            self._add(conclusion.step, summary=_text(Path(name).stem, _indented(text)))
        self._flush()

    def close(self, is_finished: bool) -> None:  # noqa: ARG002 -- event files do not say
        if self._writer is not None:
            self._writer.close()

    def _add(self, step: int, summary: Summary | None = None, session_log: SessionLog | None = None) -> None:
        assert self._writer is not None
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary, session_log=session_log))

    def _flush(self) -> None:
        assert self._writer is not None
        self._writer.flush()


def _scalars(figures: Figures) -> Summary:
    return Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in figures.items()])


def _text(tag: str, text: str) -> Summary:
    """Text in the form that TensorBoard's text plugin reads."""
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
    tensor = TensorProto(dtype=DT_STRING, string_val=[text.encode()], tensor_shape=shape)
    return Summary(value=[Summary.Value(tag=f"{tag}/text_summary", metadata=metadata, tensor=tensor)])


def _indented(text: str) -> str:
    """Shown verbatim, since what TensorBoard shows is Markdown."""
    return "\n".join(f"    {line}" for line in text.splitlines())
