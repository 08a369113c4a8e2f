"""Laws of parse_addresses; Python's ipaddress is the oracle."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from warehouse.data_centres import DataCentres
from warehouse.networks import Scope, parse_addresses

RANGES = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
]  # fmt: skip
ENDS = [int(ip_network(text)[place]) for text in RANGES for place in (0, -1)]
BESIDE = sorted({end + step for end in ENDS for step in (-1, 0, 1)} - {-1, 2**32})
IPV4 = st.one_of(st.ip_addresses(v=4), st.sampled_from(BESIDE).map(IPv4Address))
IPV6 = st.one_of(
    st.ip_addresses(v=6),
    st.ip_addresses(network="2001::/16"),
    st.ip_addresses(network="fc00::/6"),
    st.integers(0, 2**34).map(IPv6Address),
    st.ip_addresses(network="::ffff:0:0/96"),
)
SPELLINGS = (str, lambda ip: ip.exploded, lambda ip: ip.exploded.upper(), lambda ip: f" {ip} ")
COLUMNS = ("address", "version", "prefix_24", "prefix_64", "prefix_48", "scope")


def _parse_one(text: str | None) -> dict[str, object]:
    return parse_addresses(pl.Series([text], dtype=pl.String)).row(0, named=True)


def _expected_prefixes(ip: IPv4Address | IPv6Address) -> tuple[str | None, str | None, str | None]:
    if ip.version == 4:
        return str(ip_network((ip, 24), strict=False)), None, None
    narrow, wide = (str(ip_network((ip, length), strict=False)) for length in (64, 48))
    return None, narrow, wide


def _expected_scope(ip: IPv4Address | IPv6Address) -> str:
    """Tell the scope by ipaddress and, where its releases differ, by the registries."""
    rules = {
        Scope.LOOPBACK: ip.is_loopback,
        Scope.LINK_LOCAL: ip.is_link_local,
        Scope.MULTICAST: ip.is_multicast,
        Scope.CARRIER_NAT: _is_in(ip, "100.64.0.0/10"),
        Scope.DOCUMENTATION: _is_in(
            ip, "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"
        ),
        Scope.RESERVED: ip.is_reserved
        or ip.is_unspecified
        or _is_in(ip, "0.0.0.0/8", "192.0.0.0/24", "198.18.0.0/15", "2001::/23"),
        Scope.PUBLIC: (ip.is_global and not _is_in(ip, "fec0::/10")) or _is_in(ip, "2002::/16"),
        Scope.PRIVATE: ip.is_private or _is_in(ip, "fec0::/10"),
    }
    return next(scope.value for scope, holds in rules.items() if holds)


def _is_in(ip: IPv4Address | IPv6Address, *networks: str) -> bool:
    return any(ip in ip_network(text) for text in networks)


@given(st.lists(st.tuples(st.one_of(IPV4, IPV6), st.sampled_from(SPELLINGS)), min_size=1))
def test_address_prefixes_and_scope_are_those_of_ipaddress(drawn):
    texts = [spell(ip) for ip, spell in drawn]

    found = parse_addresses(pl.Series(texts))

    expected = []
    for text in texts:
        ip = ip_address(text.strip())
        ip = getattr(ip, "ipv4_mapped", None) or ip
        expected.append((str(ip), ip.version, *_expected_prefixes(ip), _expected_scope(ip)))
    assert found.columns == list(COLUMNS)
    assert found.rows() == expected


@given(
    st.one_of(
        st.text(alphabet="0123456789.", max_size=17),
        st.text(alphabet="0123456789abcdefABCDEF:.%*", max_size=40),
        st.from_regex(r"\A[0-9]{1,4}(\.[0-9]{1,4}){3}\Z"),
        st.text(max_size=20),
    )
)
@example("01.2.3.4")
@example("1.2.3.4:80")
@example("\u0661.2.3.4")
@example("::ffff:::ffff:1.2.3.4")
@example("::ffff:01.2.3.4")
@example("::ffff:256.1.1.1")
@example("1.2.3")
@example("1::2::3")
@example("")
def test_text_is_an_address_exactly_where_ipaddress_takes_it(text):
    try:
        ip = ip_address(text.strip())
    except ValueError:
        ip = None

    found = _parse_one(text)

    if ip is None and not text.strip().endswith("*"):
        assert found == dict.fromkeys(COLUMNS) | {"scope": "invalid"}
    elif ip is not None:
        ip = getattr(ip, "ipv4_mapped", None) or ip
        assert found["address"] == str(ip).partition("%")[0]


@given(IPV4)
def test_masked_address_has_the_prefix_and_scope_of_the_whole_one(ip):
    whole = _parse_one(str(ip))

    masked = _parse_one(str(ip).rpartition(".")[0] + ".*")

    assert masked == whole | {"address": None}


@pytest.mark.parametrize(
    "text", ["1.2.*.*", "1.2.*", "*", "1.2.3.4*", "1.2.3.**", "256.1.1.*", "x.*"]
)
def test_other_masks_are_invalid(text):
    assert _parse_one(text) == dict.fromkeys(COLUMNS) | {"scope": "invalid"}


def test_zone_is_no_part_of_an_address():
    assert _parse_one("fe80::1%eth0")["address"] == "fe80::1"
    assert _parse_one("fe80::1%eth0")["scope"] == "link_local"


@pytest.mark.parametrize(
    "text", ["::ffff:100.64.7.9", "::FFFF:6440:709", "0:0:0:0:0:ffff:6440:0709"]
)
def test_mapped_address_is_its_ipv4_however_it_is_written(text):
    assert _parse_one(text) == _parse_one("100.64.7.9")
    assert _parse_one(text)["scope"] == "carrier_nat"


def test_null_has_only_nulls_and_rows_keep_their_order():
    texts = pl.Series([None, "10.0.0.1", "::1", None, "no", "10.0.0.1", "::1"])

    found = parse_addresses(texts)

    assert found["scope"].to_list() == [
        None, "private", "loopback", None, "invalid", "private", "loopback",
    ]  # fmt: skip
    assert found["version"].to_list() == [None, 4, 6, None, None, 4, 6]
    assert found.row(0) == (None,) * len(COLUMNS)


@pytest.mark.parametrize("texts", [[], [None], ["1.2.3.4"], ["::1"], ["?"]])
def test_types_do_not_depend_on_the_rows(texts):
    schema = parse_addresses(pl.Series(texts, dtype=pl.String)).schema

    assert schema == parse_addresses(pl.Series(["1.2.3.4", "2a00::1", None])).schema
    assert schema["scope"] == pl.Enum([scope.value for scope in Scope])


def test_every_scope_is_found():
    one_of_each = [
        "8.8.8.8", "9.9.9.9", "10.1.1.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "224.0.0.1",
        "192.0.2.1", "240.0.0.1", "?",
    ]  # fmt: skip
    nine = DataCentres.of([ip_network("9.0.0.0/8")])

    found = parse_addresses(pl.Series(one_of_each), data_centres=nine)

    assert found["scope"].to_list() == [*map(str, Scope)]


NEAR = "11.22.32.0/19"  # small enough that drawn networks and addresses meet
DRAWN_NETWORKS = st.lists(
    st.one_of(
        st.builds(
            lambda ip, length: ip_network((ip, length), strict=False),
            st.one_of(st.ip_addresses(network=NEAR), st.ip_addresses(v=4)),
            st.integers(18, 32),
        ),
        st.builds(
            lambda ip, length: ip_network((ip, length), strict=False),
            st.ip_addresses(network="2a00:1:2:3::/112"),
            st.integers(108, 128),
        ),
    ),
    max_size=8,
)


@given(
    DRAWN_NETWORKS,
    st.lists(
        st.one_of(
            st.ip_addresses(network=NEAR), st.ip_addresses(network="2a00:1:2:3::/112"), IPV4, IPV6
        ),
        min_size=1,
    ),
)
def test_public_address_is_a_data_centres_where_a_listed_network_holds_it(networks, drawn):
    ends = [network[place] for network in networks for place in (0, -1)]
    beside = [ip + step for ip in ends for step in (-1, 1) if 0 < int(ip) < 2**32 - 1]
    addresses = [*drawn, *ends, *beside]
    texts = pl.Series([str(ip) for ip in addresses])

    found = parse_addresses(texts, data_centres=DataCentres.of(networks))

    plain = parse_addresses(texts)
    held = [
        any((getattr(ip, "ipv4_mapped", None) or ip) in network for network in networks)
        for ip in addresses
    ]
    expected = [
        "data_centre" if scope == "public" and inside else scope
        for scope, inside in zip(plain["scope"], held, strict=True)
    ]
    assert found["scope"].to_list() == expected
    assert found.drop("scope").equals(plain.drop("scope"))


@pytest.mark.parametrize(
    ("networks", "scope"),
    [
        (["11.22.33.0/24"], "data_centre"),
        (["11.22.33.0/25", "11.22.33.128/25"], "data_centre"),
        (["11.22.33.0/25"], "public"),
        (["11.22.33.128/25"], "public"),
        (["11.22.34.0/24"], "public"),
        ([], "public"),
    ],
)
def test_masked_address_is_a_data_centres_where_all_that_it_may_be_is(networks, scope):
    listed = DataCentres.of(map(ip_network, networks))

    assert parse_addresses(pl.Series(["11.22.33.*"]), data_centres=listed)["scope"].item() == scope


@pytest.mark.parametrize(
    ("network", "address"),
    [
        ("::ffff:11.22.33.0/120", "11.22.33.44"),
        ("11.22.33.0/24", "::ffff:11.22.33.44"),
        ("11.22.33.0/24", "::ffff:b16:212c"),
        ("2a00:1::/32", "2A00:0001:0:0::7"),
        ("2a00:1::7", "2a00:1::7"),
    ],
)
def test_network_and_address_may_be_written_in_any_way(network, address):
    listed = DataCentres.of([ip_network(network)])

    found = parse_addresses(pl.Series([address]), data_centres=listed)

    assert found["scope"].item() == "data_centre"
