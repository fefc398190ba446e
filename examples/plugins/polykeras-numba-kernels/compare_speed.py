"""The ratio of NumPy's own depthwise convolution to this one, interleaved.

python compare_speed.py
"""

import statistics
import time

import numpy as np

from polykeras.backend import get_backend

CASES = [((8, 56, 56, 64), 3, 1), ((8, 28, 28, 256), 3, 1), ((8, 28, 28, 128), 5, 2)]


def main():
    """Print the median ratio of 15 interleaved pairs for each case."""
    backend = get_backend("numpy")
    rng = np.random.default_rng(0)
    own, fast = backend.own_kernels()["conv_general"], backend.kernels["conv_general"]
    for shape, window, stride in CASES:
        x = rng.normal(size=shape).astype("float32")
        k = rng.normal(size=(window, window, 1, shape[-1])).astype("float32")
        half = window // 2
        args = (x, k, (stride,) * 2, [(half, half)] * 2, (1, 1))
        np.testing.assert_allclose(own(*args), fast(*args), atol=1e-4)
        ratios = []
        for _ in range(15):
            seconds = []
            for kernel in (own, fast):
                start = time.perf_counter()
                kernel(*args)
                seconds.append(time.perf_counter() - start)
            ratios.append(seconds[0] / seconds[1])
        ratio = statistics.median(ratios)
        print(f"{shape}, {window}x{window}, stride {stride}: {ratio:.1f} times as fast")


if __name__ == "__main__":
    main()
