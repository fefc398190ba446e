"""Where a process of the race computes: settled by its environment, before imports."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

__all__ = ["DEVICES", "environment", "missing", "synchronize"]

# Name on the command line to what libraries call it.
DEVICES = {"cpu": "cpu", "cuda": "cuda", "gpu": "cuda"}

_PROBES = {
    "torch": "import torch; assert torch.cuda.is_available()",
    "jax": "import jax; assert jax.devices()[0].platform == 'gpu'",
}


def environment(device: str, dtype: str = "float32") -> dict[str, str]:
    """Return variables for a process that computes on a device.

    Args:
        device: ``"cpu"`` or ``"cuda"``.
        dtype: Of computation.
    """
    found = {"JAX_PLATFORMS": device, "POLYKERAS_TORCH_DEVICE": device}
    if device == "cpu":
        # Else PyTorch by hand and Keras take the GPU where there is one.
        return found | {"CUDA_VISIBLE_DEVICES": ""}
    # Contenders live side by side: JAX must not take most of the memory at its start.
    found |= {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    if dtype == "float32":
        # Libraries differ in where they take TF32, whose products have 10 bits.
        found |= {
            "NVIDIA_TF32_OVERRIDE": "0",
            "JAX_DEFAULT_MATMUL_PRECISION": "float32",
        }
    return found


def missing(device: str, contenders: Sequence[str]) -> str | None:
    """Return why contenders cannot compute on a device; None if they can.

    Args:
        device: ``"cpu"`` or ``"cuda"``.
        contenders: By name.
    """
    if device == "cpu":
        return None
    for library, probe in _PROBES.items():
        # Keras has an interpreter of its own.
        asking = [c for c in contenders if library in c and not c.startswith("keras")]
        if asking and not _succeeds(probe, device):
            return (
                f"There is no GPU that {library} can use, which {', '.join(asking)} "
                "would need. Install its version for CUDA on a machine with a GPU, "
                "choose other contenders, or leave out --device."
            )
    return None


def _succeeds(code: str, device: str) -> bool:
    # In a process of its own: this one must not take memory of the GPU.
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment(device),
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def synchronize(contender: str) -> None:
    """Wait until the GPU has done what a contender of PyTorch gave it.

    Results of JAX are waited for where they are read.

    Args:
        contender: By name.
    """
    if "torch" in contender:
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
