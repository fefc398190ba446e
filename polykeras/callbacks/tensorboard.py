"""`TensorBoard`: logs for the program of that name."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from polykeras import ops
from polykeras.callbacks.callback import Callback
from polykeras.errors import ArgumentError

__all__ = ["TensorBoard"]


class TensorBoard(Callback):
    """Write logs that ``tensorboard --logdir logs`` shows.

    Training and validation have a folder each, and so a curve each: ``epoch_loss``,
    ``epoch_<metric>``, ``epoch_learning_rate``; with an `update_freq` other than
    ``"epoch"`` also ``batch_loss`` and so on.

    Args:
        log_dir: The folder.
        histogram_freq: Epochs between histograms of the weights; 0 means none.
        write_graph: Whether the model's summary is written as text.
        write_images: Whether weights are written as images along with histograms.
        write_steps_per_second: Whether the speed is logged.
        update_freq: ``"epoch"``, ``"batch"``, or so many batches between logs.
        profile_batch: Left out with a warning: engines have profilers of their own.
        embeddings_freq: Must be 0.
        embeddings_metadata: Must be None.

    Raises:
        ImportError: If the package tensorboardX is not installed.
        ArgumentError: If an argument is not among those allowed.
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: int | str = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        """Check the arguments."""
        super().__init__()
        _writer_class()
        if update_freq not in ("epoch", "batch") and (
            not isinstance(update_freq, int) or update_freq < 1
        ):
            raise ArgumentError(
                "update_freq must be 'epoch', 'batch' or a number of batches, got "
                f"{update_freq!r}."
            )
        if embeddings_freq or embeddings_metadata is not None:
            raise ArgumentError(
                "TensorBoard here writes scalars, histograms, images and text: "
                f"embeddings_freq must be 0, got {embeddings_freq!r}, and "
                "embeddings_metadata None."
            )
        if profile_batch:
            warnings.warn(
                f"profile_batch={profile_batch!r} has no effect: TensorBoard here "
                "writes no profiles. The engine's own profiler shows what takes time.",
                stacklevel=2,
            )
        self.log_dir = str(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self._writers: dict[str, Any] = {}
        self._step = 0
        self._tested = 0
        self._epoch_begun = (0.0, 0)

    def _writer(self, part: str) -> Any:
        if part not in self._writers:
            self._writers[part] = _writer_class()(str(Path(self.log_dir) / part))
        return self._writers[part]

    def on_train_begin(self, logs: Any = None) -> None:
        """Write the summary of the model."""
        self._step = 0
        if not self.write_graph:
            return
        lines: list[str] = []
        self.model.summary(print_fn=lines.append, line_length=100)
        indented = "\n".join(f"    {line}" for line in "".join(lines).splitlines())
        self._writer("train").add_text("model", indented, 0)

    def on_train_end(self, logs: Any = None) -> None:
        """Close the files."""
        self._close()

    def on_test_end(self, logs: Any = None) -> None:
        """Write what `evaluate` found, where it was called on its own."""
        if self._writers.get("train") is not None or not logs:
            return
        self._tested += 1
        for name, value in logs.items():
            self._write("validation", f"evaluation_{name}", value, self._tested)
        self._close()

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the time."""
        self._writer("train")
        self._epoch_begun = (time.perf_counter(), self._step)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Write the logs of a batch if they are due."""
        self._step += 1
        if self.update_freq == "epoch" or self._step % int(self.update_freq):
            return
        for name, value in (logs or {}).items():
            self._write("train", f"batch_{name}", value, self._step)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the logs of an epoch, and the weights if they are due."""
        for name, value in (logs or {}).items():
            if name.startswith("val_"):
                self._write("validation", f"epoch_{name[4:]}", value, epoch)
            else:
                self._write("train", f"epoch_{name}", value, epoch)
        rate = getattr(self.model.optimizer, "learning_rate", None)
        if rate is not None and "learning_rate" not in (logs or {}):
            self._write("train", "epoch_learning_rate", rate, epoch)
        if self.write_steps_per_second:
            begun, step = self._epoch_begun
            speed = (self._step - step) / max(time.perf_counter() - begun, 1e-9)
            self._write("train", "epoch_steps_per_second", speed, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        for writer in self._writers.values():
            writer.flush()

    def _write(self, part: str, tag: str, value: Any, step: int) -> None:
        number = np.asarray(ops.convert_to_numpy(value))
        if number.size == 1:
            self._writer(part).add_scalar(tag, float(number.reshape(())), step)

    def _write_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for v in self.model.weights:
            values = v.numpy().astype("float32")
            writer.add_histogram(f"{v.path}/histogram", values, epoch)
            if self.write_images:
                writer.add_image(f"{v.path}/image", _as_image(values), epoch)


def _as_image(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return values as one grey image ``(1, H, W)`` from 0 to 1."""
    plane = values.reshape(-1, values.shape[-1]) if values.ndim else values[None, None]
    low, high = plane.min(), plane.max()
    grey: np.ndarray[Any, Any] = (plane - low) / max(high - low, 1e-12)
    return grey[None]


def _writer_class() -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise ImportError(
            "TensorBoard needs the package tensorboardX, which is not installed. "
            'Run: pip install "polykeras[tensorboard]"'
        ) from error
    return SummaryWriter
