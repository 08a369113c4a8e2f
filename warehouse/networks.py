"""IP addresses → canonical address, network prefixes and scope.

A person's address changes, the network around it less often: IPv4 providers hand out addresses from
one /24, IPv6 providers give a household a /64 or a /48. Addresses of many (a carrier's NAT), of
nobody (private, reserved) and of machines (data centres, where a list of them is given) are told
apart, since to share one of those says little.

References
----------
RFC 6890 with the IANA special-purpose address registries: private and reserved ranges.
RFC 6598: 100.64.0.0/10, which carriers use inside their own NAT.
RFC 5952: the one text of an IPv6 address. RFC 4291, 2.5.5.2: IPv4-mapped IPv6 addresses.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from enum import StrEnum
from ipaddress import AddressValueError, IPv6Address, ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Final

import numpy as np
import polars as pl

from warehouse.data_centres import DataCentres


class Scope(StrEnum):
    """Who an address can belong to."""

    PUBLIC = "public"
    DATA_CENTRE = "data_centre"
    PRIVATE = "private"
    CARRIER_NAT = "carrier_nat"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link_local"
    MULTICAST = "multicast"
    DOCUMENTATION = "documentation"
    RESERVED = "reserved"
    INVALID = "invalid"


# A network inside another one counts for itself. No range of IPv4 is smaller than a /24, so that
# the first three octets tell the scope.
_IPV4_RANGES: Final[Mapping[str, Scope]] = {
    "0.0.0.0/0": Scope.PUBLIC,
    "0.0.0.0/8": Scope.RESERVED,
    "10.0.0.0/8": Scope.PRIVATE,
    "100.64.0.0/10": Scope.CARRIER_NAT,
    "127.0.0.0/8": Scope.LOOPBACK,
    "169.254.0.0/16": Scope.LINK_LOCAL,
    "172.16.0.0/12": Scope.PRIVATE,
    "192.0.0.0/24": Scope.RESERVED,
    "192.0.2.0/24": Scope.DOCUMENTATION,
    "192.168.0.0/16": Scope.PRIVATE,
    "198.18.0.0/15": Scope.RESERVED,  # benchmarks of network devices, RFC 2544
    "198.51.100.0/24": Scope.DOCUMENTATION,
    "203.0.113.0/24": Scope.DOCUMENTATION,
    "224.0.0.0/4": Scope.MULTICAST,
    "240.0.0.0/4": Scope.RESERVED,
}
_IPV6_RANGES: Final[Mapping[str, Scope]] = {
    "::/0": Scope.RESERVED,  # only 2000::/3 has been handed out
    "::1/128": Scope.LOOPBACK,
    "2000::/3": Scope.PUBLIC,
    "2001::/23": Scope.RESERVED,  # protocols and tunnels, Teredo among them
    "2001:db8::/32": Scope.DOCUMENTATION,
    "3fff::/20": Scope.DOCUMENTATION,
    "fc00::/7": Scope.PRIVATE,
    "fe80::/10": Scope.LINK_LOCAL,
    "fec0::/10": Scope.PRIVATE,  # site-local, RFC 3879: no longer given out, but still about
    "ff00::/8": Scope.MULTICAST,
}
_SCOPES: Final = pl.Enum([scope.value for scope in Scope])
_SCHEMA: Final = {
    "text": pl.String(),
    "address": pl.String(),
    "version": pl.UInt8(),
    "prefix_24": pl.String(),
    "prefix_64": pl.String(),
    "prefix_48": pl.String(),
    "scope": _SCOPES,
}
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4: Final = rf"^(?:{_OCTET}\.){{3}}(?:{_OCTET}|\*)$"
_MAPPED_BYTES: Final = bytes(10) + b"\xff\xff"
_MAPPED: Final = r"^::[fF]{4}:([0-9.*]+)$"


def parse_addresses(
    addresses: pl.Series, *, data_centres: DataCentres | None = None
) -> pl.DataFrame:
    """Tell canonical address, version, network prefixes and scope of IP addresses.

    Parameters
    ----------
    addresses : Series of str
        Addresses as logged, or IPv4 with the last octet masked as in ``222.218.230.*``.
    data_centres : DataCentres, optional
        Public addresses that lie in these have scope data_centre; a masked one does where all that
        it may stand for lie there.

    Returns
    -------
    DataFrame
        One row for each of `addresses`, in their order: address (IPv6 as in RFC 5952, an
        IPv4-mapped one as IPv4, without zone; null where masked), version (4 or 6), prefix_24 (of
        IPv4), prefix_64 and prefix_48 (of IPv6) as ``network/length``, and scope, one of
        :class:`Scope`. What is no address has scope invalid and else null; a null has only nulls.

    Notes
    -----
    IPv4 takes a vectorised path, in which a text that passes is canonical already; each distinct
    IPv6 address is parsed once. What Python's ipaddress refuses is invalid here too.
    """
    given = addresses.cast(pl.String).str.strip_chars().alias("text").to_frame()
    plain = pl.col("text")
    if given["text"].str.starts_with("::").any():
        plain = plain.str.replace(_MAPPED, "${1}")
    parsed = _parse_ipv4(given.with_columns(plain=plain), data_centres)
    others = parsed.filter(
        pl.col("version").is_null() & pl.col("text").str.contains(":", literal=True)
    )
    if not others.is_empty():
        distinct = others.get_column("text").unique(maintain_order=True)
        parsed = _fill(parsed, distinct, data_centres)
    return parsed.drop("text")


def _parse_ipv4(texts: pl.DataFrame, data_centres: DataCentres | None) -> pl.DataFrame:
    """Parse the rows that are IPv4; the others have scope invalid, or null where they are null."""
    plain = pl.col("plain")
    found = texts.with_columns(plain=pl.when(plain.str.contains(_IPV4)).then(plain))
    is_ipv4 = plain.is_not_null()
    scopes = _ipv4_scopes(found["plain"])
    if data_centres is not None:
        machines = (scopes == Scope.PUBLIC.value) & _are_machines(found["plain"], data_centres)
        scopes = scopes.set(machines, Scope.DATA_CENTRE.value)
    return found.with_columns(scope=scopes).select(
        "text",
        address=pl.when(plain.str.ends_with("*").not_()).then(plain),
        version=pl.when(is_ipv4).then(pl.lit(4, pl.UInt8)),
        prefix_24=plain.str.strip_chars_end("0123456789*") + "0/24",
        prefix_64=pl.lit(None, pl.String),
        prefix_48=pl.lit(None, pl.String),
        scope=pl.when(is_ipv4)
        .then("scope")
        .when(pl.col("text").is_not_null())
        .then(pl.lit(Scope.INVALID.value, _SCOPES)),
    )


def _ipv4_scopes(plain: pl.Series) -> pl.Series:
    """Return the scope of each address by its first three octets; that of null means nothing."""
    octets = plain.str.split_exact(".", 2).struct.unnest().select(pl.all().cast(pl.Int64))
    numbers = octets.select(
        (pl.col("field_0") * 256 + pl.col("field_1")) * 256 + pl.col("field_2")
    ).to_series()
    places = np.searchsorted(_IPV4_EDGES, numbers.fill_null(0).to_numpy(), side="right")
    return pl.Series(_IPV4_SCOPES, dtype=_SCOPES).gather(places - 1)


def _are_machines(plain: pl.Series, data_centres: DataCentres) -> pl.Series:
    """Tell which addresses lie in data centres; null does not."""
    octets = (
        plain.str.split_exact(".", 3).struct.unnest().select(pl.all().cast(pl.Int64, strict=False))
    )
    block = octets.select(
        (pl.col("field_0") * 256 + pl.col("field_1")) * 65_536 + pl.col("field_2") * 256
    ).to_series()
    last = octets["field_3"]
    first_number = (block + last.fill_null(0)).fill_null(-1).to_numpy()
    last_number = (block + last.fill_null(255)).fill_null(-1).to_numpy()
    return pl.Series(data_centres.hold_ipv4(first_number, last_number))


def _fill(
    parsed: pl.DataFrame, distinct: pl.Series, data_centres: DataCentres | None
) -> pl.DataFrame:
    """Put what the distinct texts stand for into the rows that have them."""
    answers = pl.DataFrame(list(_parse_ipv6(distinct, data_centres)), schema=_SCHEMA, orient="row")
    joined = parsed.join(
        answers.with_columns(answered=True),
        on="text",
        how="left",
        maintain_order="left",
        suffix="_answered",
    )
    return joined.select(
        "text",
        *(
            pl.when("answered").then(f"{name}_answered").otherwise(name).alias(name)
            for name in _SCHEMA
            if name != "text"
        ),
    )


def _parse_ipv6(
    texts: pl.Series, data_centres: DataCentres | None
) -> Iterator[tuple[str | int | None, ...]]:
    for text in texts:
        try:
            packed = _pack(text)
        except (AddressValueError, OSError, ValueError):
            yield text, None, None, None, None, None, Scope.INVALID.value
            continue
        if packed.startswith(_MAPPED_BYTES):
            plain = inet_ntop(AF_INET, packed[12:])
            prefix = plain.rpartition(".")[0] + ".0/24"
            scope = _IPV4_SCOPES[bisect_right(_IPV4_EDGES, int.from_bytes(packed[12:15])) - 1]
            yield text, plain, 4, prefix, None, None, _narrow(scope, packed[12:], data_centres)
        else:
            narrow = inet_ntop(AF_INET6, packed[:8] + bytes(8)) + "/64"
            wide = inet_ntop(AF_INET6, packed[:6] + bytes(10)) + "/48"
            scope = _IPV6_SCOPES[bisect_right(_IPV6_EDGES, int.from_bytes(packed)) - 1]
            plain = (
                inet_ntop(AF_INET6, packed) if scope == Scope.PUBLIC else str(IPv6Address(packed))
            )
            yield text, plain, 6, None, narrow, wide, _narrow(scope, packed, data_centres)


def _narrow(scope: str, packed: bytes, data_centres: DataCentres | None) -> str:
    """Return the scope of an address, of a public one that is a data centre's data_centre."""
    if data_centres is not None and scope == Scope.PUBLIC and data_centres.hold(packed):
        return Scope.DATA_CENTRE.value
    return scope


def _pack(text: str) -> bytes:
    """Return the 16 bytes of an address.

    The C library reads plain ones twenty times as fast as ipaddress; zones and dotted ends, which C
    libraries treat differently, go to the latter.
    """
    if "%" in text or "." in text:
        return IPv6Address(text).packed
    return inet_pton(AF_INET6, text)


def _divide(ranges: Mapping[str, Scope], *, bits: int) -> tuple[list[int], list[str]]:
    """Return where each run of numbers of one scope begins, and that scope.

    The numbers are addresses without their last `bits` bits.
    """
    networks = [(ip_network(text), scope.value) for text, scope in ranges.items()]
    networks.sort(key=lambda entry: entry[0].prefixlen, reverse=True)
    spans = [
        (int(network[0]) >> bits, (int(network[-1]) >> bits) + 1, scope)
        for network, scope in networks
    ]
    edges = sorted({edge for first, end, _ in spans for edge in (first, end)})[:-1]
    scopes = [next(scope for first, end, scope in spans if first <= edge < end) for edge in edges]
    return edges, scopes


_IPV4_EDGES, _IPV4_SCOPES = _divide(_IPV4_RANGES, bits=8)
_IPV6_EDGES, _IPV6_SCOPES = _divide(_IPV6_RANGES, bits=0)
