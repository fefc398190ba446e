"""What the first editions of the books use and Keras 3 has dropped.

`legacy.text.Tokenizer`, `legacy.image.ImageDataGenerator` and the functions of
`legacy.backend`. The old paths, ``preprocessing.text``, ``preprocessing.image`` and
``backend``, lead here.
"""

from polykeras.legacy import backend, image, text

__all__ = ["backend", "image", "text"]
