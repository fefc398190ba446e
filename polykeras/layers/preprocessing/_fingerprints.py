"""64-bit hashes of short texts, the same on every machine and in Keras.

Reference: Pike and Alakuijala, 2014, "FarmHash" (Fingerprint64); Aumasson and
Bernstein, 2012, "SipHash: a fast short-input PRF" (SipHash-2-4).
"""

from __future__ import annotations

from typing import Final

__all__ = ["combined", "farm_fingerprint", "sip_hash"]

_MASK: Final = (1 << 64) - 1
_K0: Final = 0xC3A5C85C97CB3127
_K1: Final = 0xB492B66FBE98F273
_K2: Final = 0x9AE16A3B2F90404F
_COMBINE: Final = 0xC6A4A7935BD1E995


def _word(s: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(s[at : at + size], "little")


def _rotated(x: int, by: int) -> int:
    """Return a word rotated to the right."""
    return ((x >> by) | (x << (64 - by))) & _MASK


def _mixed(x: int) -> int:
    return x ^ (x >> 47)


def _hash_16(u: int, v: int, multiplier: int) -> int:
    a = _mixed(((u ^ v) * multiplier) & _MASK)
    b = _mixed(((v ^ a) * multiplier) & _MASK)
    return (b * multiplier) & _MASK


def _up_to_16(s: bytes) -> int:
    n = len(s)
    multiplier = (_K2 + n * 2) & _MASK
    if n >= 8:
        a = (_word(s, 0) + _K2) & _MASK
        b = _word(s, n - 8)
        c = (_rotated(b, 37) * multiplier + a) & _MASK
        d = ((_rotated(a, 25) + b) * multiplier) & _MASK
        return _hash_16(c, d, multiplier)
    if n >= 4:
        return _hash_16(n + (_word(s, 0, 4) << 3), _word(s, n - 4, 4), multiplier)
    if n > 0:
        y = s[0] + (s[n >> 1] << 8)
        z = n + (s[n - 1] << 2)
        return (_mixed((y * _K2 & _MASK) ^ (z * _K0 & _MASK)) * _K2) & _MASK
    return _K2


def _up_to_32(s: bytes) -> int:
    n = len(s)
    multiplier = (_K2 + n * 2) & _MASK
    a = (_word(s, 0) * _K1) & _MASK
    b = _word(s, 8)
    c = (_word(s, n - 8) * multiplier) & _MASK
    d = (_word(s, n - 16) * _K2) & _MASK
    u = (_rotated((a + b) & _MASK, 43) + _rotated(c, 30) + d) & _MASK
    v = (a + _rotated((b + _K2) & _MASK, 18) + c) & _MASK
    return _hash_16(u, v, multiplier)


def _up_to_64(s: bytes) -> int:
    n = len(s)
    multiplier = (_K2 + n * 2) & _MASK
    a = (_word(s, 0) * _K2) & _MASK
    b = _word(s, 8)
    c = (_word(s, n - 8) * multiplier) & _MASK
    d = (_word(s, n - 16) * _K2) & _MASK
    y = (_rotated((a + b) & _MASK, 43) + _rotated(c, 30) + d) & _MASK
    z = _hash_16(y, (a + _rotated((b + _K2) & _MASK, 18) + c) & _MASK, multiplier)
    e = (_word(s, 16) * multiplier) & _MASK
    f = _word(s, 24)
    g = ((y + _word(s, n - 32)) * multiplier) & _MASK
    h = ((z + _word(s, n - 24)) * multiplier) & _MASK
    u = (_rotated((e + f) & _MASK, 43) + _rotated(g, 30) + h) & _MASK
    v = (e + _rotated((f + a) & _MASK, 18) + g) & _MASK
    return _hash_16(u, v, multiplier)


def _weak_32(s: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_word(s, at + 8 * i) for i in range(4))
    a += w
    b = _rotated((b + a + z) & _MASK, 21)
    c = a
    a += x + y
    b += _rotated(a & _MASK, 44)
    return (a + z) & _MASK, (b + c) & _MASK


def _longer(s: bytes) -> int:
    n = len(s)
    x = 81
    y = (81 * _K1 + 113) & _MASK
    z = (_mixed((y * _K2 + 113) & _MASK) * _K2) & _MASK
    v, w = (0, 0), (0, 0)
    x = (x * _K2 + _word(s, 0)) & _MASK
    for at in range(0, (n - 1) // 64 * 64, 64):
        x = (_rotated((x + y + v[0] + _word(s, at + 8)) & _MASK, 37) * _K1) & _MASK
        y = (_rotated((y + v[1] + _word(s, at + 48)) & _MASK, 42) * _K1) & _MASK
        x ^= w[1]
        y = (y + v[0] + _word(s, at + 40)) & _MASK
        z = (_rotated((z + w[0]) & _MASK, 33) * _K1) & _MASK
        v = _weak_32(s, at, v[1] * _K1, x + w[0])
        w = _weak_32(s, at + 32, z + w[1], y + _word(s, at + 16))
        x, z = z, x
    multiplier = (_K1 + ((z & 0xFF) << 1)) & _MASK
    at = n - 64
    w0 = w[0] + ((n - 1) & 63)
    v0 = v[0] + w0
    v, w = (v0 & _MASK, v[1]), ((w0 + v0) & _MASK, w[1])
    x = (_rotated((x + y + v[0] + _word(s, at + 8)) & _MASK, 37) * multiplier) & _MASK
    y = (_rotated((y + v[1] + _word(s, at + 48)) & _MASK, 42) * multiplier) & _MASK
    x ^= (w[1] * 9) & _MASK
    y = (y + v[0] * 9 + _word(s, at + 40)) & _MASK
    z = (_rotated((z + w[0]) & _MASK, 33) * multiplier) & _MASK
    v = _weak_32(s, at, v[1] * multiplier, x + w[0])
    w = _weak_32(s, at + 32, z + w[1], y + _word(s, at + 16))
    x, z = z, x
    return _hash_16(
        (_hash_16(v[0], w[0], multiplier) + _mixed(y) * _K0 + z) & _MASK,
        (_hash_16(v[1], w[1], multiplier) + x) & _MASK,
        multiplier,
    )


def farm_fingerprint(s: bytes) -> int:
    """Return the FarmHash fingerprint of some bytes.

    >>> hex(farm_fingerprint(b"hello"))
    '0xb48be5a931380ce8'
    """
    n = len(s)
    if n <= 16:
        return _up_to_16(s)
    if n <= 32:
        return _up_to_32(s)
    return _up_to_64(s) if n <= 64 else _longer(s)


def _sip_round(v: list[int]) -> None:
    def left(x: int, by: int) -> int:
        return _rotated(x, 64 - by)

    v[0] = (v[0] + v[1]) & _MASK
    v[1] = left(v[1], 13) ^ v[0]
    v[0] = left(v[0], 32)
    v[2] = (v[2] + v[3]) & _MASK
    v[3] = left(v[3], 16) ^ v[2]
    v[0] = (v[0] + v[3]) & _MASK
    v[3] = left(v[3], 21) ^ v[0]
    v[2] = (v[2] + v[1]) & _MASK
    v[1] = left(v[1], 17) ^ v[2]
    v[2] = left(v[2], 32)


def sip_hash(s: bytes, key: tuple[int, int]) -> int:
    """Return SipHash-2-4 of some bytes under a key of two words.

    >>> hex(sip_hash(bytes(range(15)), (0x0706050403020100, 0x0F0E0D0C0B0A0908)))
    '0xa129ca6149be45e5'
    """
    k0, k1 = (k & _MASK for k in key)
    v = [
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    ]
    tail = len(s) % 8
    last = s[len(s) - tail :] + bytes(7 - tail) + bytes([len(s) & 0xFF])
    for at in range(0, len(s) - tail, 8):
        _sip_word(v, _word(s, at))
    _sip_word(v, _word(last, 0))
    v[2] ^= 0xFF
    for _ in range(4):
        _sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _sip_word(v: list[int], word: int) -> None:
    v[3] ^= word
    _sip_round(v)
    _sip_round(v)
    v[0] ^= word


def combined(a: int, b: int) -> int:
    """Return a fingerprint of two fingerprints, in this order."""
    result = a ^ _COMBINE
    result ^= (_mixed((b * _COMBINE) & _MASK) * _COMBINE) & _MASK
    result = (result * _COMBINE) & _MASK
    result = (_mixed(result) * _COMBINE) & _MASK
    return _mixed(result)
