"""Networks that are no homes of people: a file of the user's, and which addresses lie in them."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import ConfigError

_MAPPED = IPv6Network("::ffff:0:0/96")
_LONGEST = 60
_MEND = "Write one network a line in CIDR notation, such as 198.18.0.0/15, and comments after #."


@dataclass(frozen=True, eq=False)
class DataCentres:
    """The addresses of data centres, as runs in order that do not overlap.

    Attributes
    ----------
    ipv4_first, ipv4_last : ndarray of int64
        First and last address of each run, in order.
    ipv6_first, ipv6_last : tuple of int
        The same of IPv6.
    """

    ipv4_first: NDArray[np.int64]
    ipv4_last: NDArray[np.int64]
    ipv6_first: tuple[int, ...]
    ipv6_last: tuple[int, ...]

    @classmethod
    def of(cls, networks: Iterable[IPv4Network | IPv6Network]) -> Self:
        """Return what lies in any of `networks`; IPv4-mapped ones are IPv4."""
        listed = [_plain(network) for network in networks]
        old = list(collapse_addresses(one for one in listed if isinstance(one, IPv4Network)))
        new = list(collapse_addresses(one for one in listed if isinstance(one, IPv6Network)))
        return cls(
            np.array([int(network[0]) for network in old], dtype=np.int64),
            np.array([int(network[-1]) for network in old], dtype=np.int64),
            tuple(int(network[0]) for network in new),
            tuple(int(network[-1]) for network in new),
        )

    def hold_ipv4(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of each block of addresses whether all of it is a data centre's.

        Parameters
        ----------
        first, last : ndarray of int64
            The ends of each block, which is a network or one address; negative ones are in none.
        """
        if not len(self.ipv4_first):
            return np.zeros(len(first), dtype=np.bool_)
        # A network that several others fill has been made one of them, so one run must hold it.
        places = np.searchsorted(self.ipv4_first, first, side="right") - 1
        held: NDArray[np.bool_] = (places >= 0) & (last <= self.ipv4_last[places])
        return held

    def hold(self, packed: bytes) -> bool:
        """Tell whether one address of 4 or 16 bytes is a data centre's."""
        number = int.from_bytes(packed)
        if len(packed) == 4:
            ends = np.array([number], dtype=np.int64)
            return bool(self.hold_ipv4(ends, ends)[0])
        place = bisect_right(self.ipv6_first, number) - 1
        return place >= 0 and number <= self.ipv6_last[place]


def read_data_centres(path: Path | None) -> DataCentres | None:
    """Read the file of networks; it is read once, and again only where it has changed.

    Parameters
    ----------
    path : Path or None
        A text file with one network a line (IPv4 or IPv6, CIDR notation or a single address); what
        follows # is a comment. None is none.

    Raises
    ------
    ConfigError
        If the file cannot be read, or a line is no network.
    """
    if path is None:
        return None
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return _read(path.absolute(), path, (found.st_ino, found.st_size, found.st_mtime_ns))


@lru_cache(maxsize=1)
def _read(place: Path, told: Path, state: tuple[int, int, int]) -> DataCentres:
    """Read the file in `place`; `state` is what tells a changed one from the one read before."""
    try:
        lines = place.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{told}: not UTF-8 ([attribution.traffic] data_centres). {_MEND}") from (
            error
        )
    except OSError as error:
        raise _unreadable(told, error) from error
    texts = ((number, line.partition("#")[0].strip()) for number, line in enumerate(lines, start=1))
    return DataCentres.of(_network(text, told, number) for number, text in texts if text)


def _network(text: str, file: Path, line: int) -> IPv4Network | IPv6Network:
    try:
        length = text.partition("/")[2]
        if "%" in text or (length and not (length.isascii() and length.isdigit())):
            raise ValueError("ipaddress takes zones and netmasks too")
        return ip_network(text)
    except ValueError as error:
        why = " (it has bits beyond its length)" if "host bits" in str(error) else ""
        raise ConfigError(
            f'{file}, line {line}: "{text[:_LONGEST]}" is no network{why}. {_MEND}'
        ) from error


def _plain(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """Return a network of IPv4-mapped addresses as the IPv4 that they are."""
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return IPv4Network((int(network[0]) & 0xFFFF_FFFF, network.prefixlen - 96))
    return network


def _unreadable(path: Path, error: OSError | ValueError) -> ConfigError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ConfigError(
        f"{path}: {reason} ([attribution.traffic] data_centres). Name a readable file of networks."
    )
