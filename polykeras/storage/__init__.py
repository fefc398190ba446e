"""Files on disk: written whole or not at all, read without trust.

Nothing read here becomes code, a path or a plugin's name, and nothing is allocated
before what a file declares has been compared with the bytes that it has
(`limits`). The formats: ``.weights.h5``, ``.safetensors`` and ``.keras``.
"""
