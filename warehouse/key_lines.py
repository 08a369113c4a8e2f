"""What the bytes of a key file stand for: a chain of secrets, one a line, or one secret."""

from typing import Final

SHORTEST: Final = 16  # bytes of a secret
_HEX: Final = b"adscribe-hex:"  # begins a line that holds bytes which no line can hold


def chains(text: bytes) -> list[tuple[bytes, ...]]:
    """Return the chains that a key file may stand for, the likeliest first; none if too short.

    It is a chain where every line is printable ASCII and long enough, else one secret. The others
    are how earlier versions read it: they serve to open what was written under them.
    """
    whole, lines = text.strip(), [line.strip() for line in text.splitlines() if line.strip()]
    found = [tuple(map(_unwritten, lines)), tuple(lines), (whole,)]
    if not all(map(_is_line, lines)):
        found.reverse()
    return [chain for chain in dict.fromkeys(found) if chain and min(map(len, chain)) >= SHORTEST]


def _is_line(secret: bytes) -> bool:
    """Whether a secret can stand in a line of a chain as it is."""
    return len(secret) >= SHORTEST and secret.isascii() and secret.decode().isprintable()


def written(secret: bytes) -> bytes:
    """Return the line of a chain that stands for a secret."""
    plain = _is_line(secret) and secret == secret.strip() and not secret.startswith(_HEX)
    return secret if plain else _HEX + secret.hex().encode()


def _unwritten(line: bytes) -> bytes:
    try:
        return bytes.fromhex(line.removeprefix(_HEX).decode()) if line.startswith(_HEX) else line
    except ValueError:
        return line
