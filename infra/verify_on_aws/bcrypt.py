"""bcrypt hashes for the template's parameter `Users`, in plain Python: neither the standard library of every supported
Python nor every machine (htpasswd) has them. It is slow; the passwords hashed here have 192 random bits, so that the
lowest cost is enough.
"""

from __future__ import annotations

import os

ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
ROUNDS = 16
MASK = 0xFFFFFFFF


def pi_words(count: int) -> list[int]:
    """The first `count` 32-bit words of pi's fraction, which Blowfish starts from (Machin's formula)."""
    guard = 64
    bits = 32 * count + guard
    one = 1 << bits

    def arctan_of_inverse(x: int) -> int:
        power, total, divisor, sign = one // x, 0, 1, 1
        while power:
            total += sign * (power // divisor)
            power //= x * x
            divisor, sign = divisor + 2, -sign
        return total

    pi = 16 * arctan_of_inverse(5) - 4 * arctan_of_inverse(239)
    fraction = (pi & (one - 1)) >> guard
    return [(fraction >> (32 * (count - 1 - i))) & MASK for i in range(count)]


class Blowfish:
    def __init__(self) -> None:
        words = pi_words(ROUNDS + 2 + 4 * 256)
        self.p = words[: ROUNDS + 2]
        self.s = [words[ROUNDS + 2 + 256 * i : ROUNDS + 2 + 256 * (i + 1)] for i in range(4)]

    def encrypt(self, left: int, right: int) -> tuple[int, int]:
        p, (s0, s1, s2, s3) = self.p, self.s
        for i in range(0, ROUNDS, 2):
            left ^= p[i]
            right ^= (((s0[left >> 24] + s1[left >> 16 & 255]) ^ s2[left >> 8 & 255]) + s3[left & 255]) & MASK
            right ^= p[i + 1]
            left ^= (((s0[right >> 24] + s1[right >> 16 & 255]) ^ s2[right >> 8 & 255]) + s3[right & 255]) & MASK
        return right ^ p[ROUNDS + 1], left ^ p[ROUNDS]

    def expand(self, key: list[int], salt: list[int]) -> None:
        """`key` has 18 words, `salt` 4 (bcrypt's ExpandKey)."""
        self.p = [word ^ key[i] for i, word in enumerate(self.p)]
        left = right = at = 0
        for table in [self.p, *self.s]:
            for i in range(0, len(table), 2):
                left, right = self.encrypt(left ^ salt[at], right ^ salt[at + 1])
                table[i], table[i + 1] = left, right
                at ^= 2


def words_of(data: bytes, count: int) -> list[int]:
    """`data` repeated, as big-endian words."""
    repeated = data * (4 * count // len(data) + 1)
    return [int.from_bytes(repeated[4 * i : 4 * i + 4], "big") for i in range(count)]


def base64(data: bytes) -> str:
    """bcrypt's own base64, without padding."""
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 6)
    return "".join(ALPHABET[int(bits[i : i + 6], 2)] for i in range(0, len(bits), 6))


def hashed(password: str, cost: int = 4, salt: bytes = b"") -> str:
    """`$2b$..`; `salt` is 16 bytes, random unless given."""
    salt = salt or os.urandom(16)
    key = words_of(password.encode()[:72] + b"\0", ROUNDS + 2)
    salt_words, none = words_of(salt, 4), [0, 0, 0, 0]
    cipher = Blowfish()
    cipher.expand(key, salt_words)
    again = words_of(salt, ROUNDS + 2)
    for _ in range(1 << cost):
        cipher.expand(key, none)
        cipher.expand(again, none)
    text = words_of(b"OrpheanBeholderScryDoubt", 6)
    for i in range(0, 6, 2):
        for _ in range(64):
            text[i], text[i + 1] = cipher.encrypt(text[i], text[i + 1])
    digest = b"".join(word.to_bytes(4, "big") for word in text)[:23]
    return f"$2b${cost:02d}${base64(salt)}{base64(digest)}"
