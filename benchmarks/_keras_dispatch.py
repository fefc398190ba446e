"""Time one op of Keras and its raw library call; run by Keras' own interpreter.

Imports nothing of polykeras: ``python _keras_dispatch.py torch`` prints JSON.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Print op name to nanoseconds of ``[keras.ops, raw]``."""
    engine = sys.argv[1]
    os.environ["KERAS_BACKEND"] = engine
    import keras
    from _dispatch_cases import measure, raw_calls

    wrapped = {
        "exp": keras.ops.exp,
        "add": keras.ops.add,
        "scale": lambda x: keras.ops.multiply(x, 2.0),
        "matmul": keras.ops.matmul,
        "sum": lambda x: keras.ops.sum(x, axis=1),
        "relu": keras.ops.relu,
    }
    print(
        json.dumps(
            {"version": keras.__version__, **measure(wrapped, raw_calls(engine))}
        )
    )


if __name__ == "__main__":
    main()
