"""Keyed digests against Python's own hmac, and the key itself."""

import errno
import hashlib
import hmac
import os
import stat
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daily import open_run
from tests.warehouse.folders import (
    FOLDER,
    KEY,
    as_csv,
    as_json_lines,
    ingest,
    select,
    signal,
    touch,
    write,
)
from warehouse.config import Config, PrivacyConfig
from warehouse.database import Warehouse
from warehouse.errors import ConfigError
from warehouse.keys import KEY_VARIABLE, IdentifierKey, bind_key, open_key, write_key


def digest(key: IdentifierKey, kind: str, value: str) -> uuid.UUID:
    """Compute a keyed digest with Python's library only."""
    text = f"{kind}:{value}"
    for secret in key.secrets:
        text = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:32]
    return uuid.UUID(text)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@given(secret=st.binary(min_size=16, max_size=200), message=st.binary(max_size=100))
def test_the_pads_are_those_of_hmac(secret: bytes, message: bytes) -> None:
    first = IdentifierKey((secret,)).pads
    later = IdentifierKey((b"another secret 1", secret)).pads["later_pads"]
    assert first["later_pads"] == []
    assert isinstance(later, list)
    both = [(first["inner_pad"], first["outer_pad"])]
    both += [(bytes.fromhex(pads[:128]), bytes.fromhex(pads[128:])) for pads in later]
    assert len(both) == 2
    for inner_pad, outer_pad in both:
        inner = hashlib.sha256(inner_pad + message).digest()
        outer = hashlib.sha256(outer_pad + inner).digest()
        assert outer == hmac.new(secret, message, hashlib.sha256).digest()


CHAINS = [
    KEY,
    IdentifierKey((b"a key for tests only", b"and the one it was changed for")),
    IdentifierKey((b"a key for tests only", b"s" * 65, "für später: ein drittes".encode())),
]


@pytest.mark.parametrize("key", CHAINS, ids=["one", "two", "three"])
def test_digests_in_the_warehouse_are_those_of_python(
    warehouse: Warehouse, root: Path, key: IdentifierKey
) -> None:
    hashed = sha256("someone@shop.com")
    rows = [
        signal("s1", email=" Ann@Shop.com ", phone="+1 (650) 555-1212", device_id="ABC-9"),
        signal("s2", email=hashed.upper(), phone="0016505551212", cookie_id=" C1 "),
        signal("s3", email="a.nn+x@gmail.com", phone="(030) 123456", country="DE"),
        signal("s4", click_id=" Click-Ä ", phone=sha256("+4930123456"), external_id="x 1"),
    ]
    activity = {
        "user_id": "u1", "event_time": "2026-01-05 10:00:00", "email_sha256": hashed.upper(),
        "phone_sha256": sha256("+16505551212"), "device_id": "ABC-9", "cookie_id": " C1 ",
    }  # fmt: skip
    files = {f"{FOLDER}/signals.jsonl": as_json_lines(rows)}
    files[f"{FOLDER}/touchpoints.csv"] = as_csv([touch("t1", click_id=" Click-Ä ")])
    files[f"{FOLDER}/activity.csv"] = as_csv([activity])
    ingest(warehouse, write(root, files), key=key)

    every = ["meta", "google", "tiktok", "uid2"]
    us = [(sha256("16505551212"), every[:1]), (sha256("+16505551212"), every[1:])]
    de = [(sha256("4930123456"), every[:1]), (sha256("+4930123456"), every[1:])]
    expected = {
        ("s1", "email"): [(sha256("ann@shop.com"), every)],
        ("s1", "phone"): us,
        ("s1", "device_id"): [("abc-9", None)],
        ("s2", "email"): [(hashed, every)],
        ("s2", "phone"): us,
        ("s2", "cookie_id"): [("c1", None)],
        ("s3", "email"): [
            (sha256("a.nn+x@gmail.com"), ["meta", "tiktok"]),
            (sha256("ann@gmail.com"), ["google", "uid2"]),
        ],
        ("s3", "phone"): de,
        ("s4", "phone"): [(sha256("+4930123456"), every)],
        ("s4", "click_id"): [("Click-Ä", None)],
        ("s4", "external_id"): [("a1:" + sha256("x 1"), every[:3])],
    }
    wanted = {
        (signal_id, kind, str(digest(key, kind, value)), recipes and tuple(recipes), None)
        for (signal_id, kind), values in expected.items()
        for value, recipes in values
    }
    query = "SELECT signal_id, kind, digest::VARCHAR, recipes, refusal FROM signal_identifiers"
    found = select(warehouse, query).rows()
    assert {(*row[:3], row[3] and tuple(row[3]), row[4]) for row in found} == wanted
    assert len(found) == len(wanted)
    seen = select(warehouse, "SELECT kind, digest::VARCHAR FROM identifiers_seen").rows()
    values = [("email", hashed), ("phone", sha256("+16505551212")), ("device_id", "abc-9")]
    values += [("cookie_id", "c1"), ("click_id", "Click-Ä")]
    assert sorted(seen) == sorted((kind, str(digest(key, kind, value))) for kind, value in values)


def test_digests_of_addresses_and_networks_are_those_of_python(
    warehouse: Warehouse, root: Path
) -> None:
    addresses = ["8.8.4.4", "2a00:1450:4001:0813:0:0:0:200e", "10.0.0.1", "no address", ""]
    rows = [signal(f"s{place}", ip=ip) for place, ip in enumerate(addresses)]
    ingest(warehouse, write(root, {f"{FOLDER}/signals.csv": as_csv(rows)}))
    columns = "address_digest::VARCHAR, network_digest::VARCHAR, site_digest::VARCHAR"
    query = f"SELECT {columns}, network_scope, ip FROM signals ORDER BY signal_id"  # noqa: S608
    assert select(warehouse, query).rows() == [
        (
            str(digest(KEY, "address", "8.8.4.4")),
            str(digest(KEY, "network", "8.8.4.0/24")),
            None,
            "public",
            None,
        ),
        (
            str(digest(KEY, "address", "2a00:1450:4001:813::200e")),
            str(digest(KEY, "network", "2a00:1450:4001:813::/64")),
            str(digest(KEY, "site", "2a00:1450:4001::/48")),
            "public",
            None,
        ),
        (None, None, None, "private", None),
        (None, None, None, "invalid", None),
        (None, None, None, None, None),
    ]


@pytest.mark.parametrize("text", ["{}\n{}\n", "{}\r\n\r\n{}", "  {}\n{}  \n\n"])
def test_a_key_file_holds_one_secret_a_line(tmp_path: Path, text: str) -> None:
    secrets = ("a first secret, with spaces", "a second one, of a change")
    (tmp_path / "key").write_bytes(text.format(*secrets).encode())
    key = IdentifierKey.read(tmp_path / "key")
    assert key.secrets == tuple(secret.encode() for secret in secrets)
    first, second = (IdentifierKey((secret,)) for secret in key.secrets)
    assert first.followed_by(second) == key
    assert len({first.key_id, second.key_id, key.key_id, second.followed_by(first).key_id}) == 4


def test_a_key_is_made_once_and_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    database = tmp_path / "ads.duckdb"
    first = IdentifierKey.load(database, PrivacyConfig(), make=True)
    assert first == IdentifierKey.load(database, PrivacyConfig())
    assert stat.S_IMODE((tmp_path / "ads.duckdb.key").stat().st_mode) == 0o600
    assert first.secrets[0].decode() not in repr(first)


def test_a_lost_key_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    database = tmp_path / "ads.duckdb"
    database.touch()
    with pytest.raises(ConfigError, match="cannot be read"):
        IdentifierKey.load(database, PrivacyConfig())
    with pytest.raises(ConfigError, match="cannot be read"):
        IdentifierKey.load(tmp_path / "new.duckdb", PrivacyConfig(key_file=tmp_path / "absent"))
    assert list(tmp_path.iterdir()) == [database]


def test_a_short_key_is_refused_without_being_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("fifteen-bytes!!", "fifteen\nbytes!!", "", "\n"):
        monkeypatch.setenv(KEY_VARIABLE, text)
        with pytest.raises(ConfigError, match="16 bytes") as caught:
            IdentifierKey.load(tmp_path / "ads.duckdb", PrivacyConfig())
        assert "fifteen" not in str(caught.value)


def test_another_key_is_refused(warehouse: Warehouse) -> None:
    bind_key(warehouse, KEY)
    bind_key(warehouse, KEY)
    with pytest.raises(ConfigError, match="written under key"):
        bind_key(warehouse, IdentifierKey((b"another key, for tests",)))


@pytest.mark.parametrize(
    "content",
    [
        b"a line of a key for one\nand another line of it",
        b"a long enough line\nshort",
        bytes(range(5, 37)),
        b"\n" + bytes(range(150, 164)) + b"\r" + bytes(range(200, 218)) + b"\n",
        "für später: ein drittes".encode(),
    ],
    ids=["lines", "short", "binary", "breaks", "umlauts"],
)
def test_a_key_that_was_one_secret_with_line_breaks_still_opens(
    warehouse: Warehouse, tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    bind_key(warehouse, IdentifierKey((content.strip(),)))
    (tmp_path / "own.key").write_bytes(content)
    key = open_key(warehouse, PrivacyConfig(key_file=tmp_path / "own.key"))
    assert key.secrets == (content.strip(),)


def test_a_chain_with_a_secret_that_no_line_holds_is_read_as_written(tmp_path: Path) -> None:
    chain = IdentifierKey((b"binary\n" + bytes(range(200)), b"a plain one, of a line", b" " * 20))
    write_key(tmp_path / "key", chain, "")
    assert IdentifierKey.read(tmp_path / "key") == chain
    assert (tmp_path / "key").read_bytes().splitlines()[1] == chain.secrets[1]


@pytest.mark.parametrize(
    "content",
    [bytes(range(150, 164)) + b"\n\xff" + bytes(range(200, 216)), b"\xff" * 32],
    ids=["break", "plain"],
)
def test_a_binary_key_serves_a_new_warehouse(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    (tmp_path / "own.key").write_bytes(content)
    config = Config(privacy=PrivacyConfig(key_file=tmp_path / "own.key"))
    for _ in range(2):
        with open_run(tmp_path / "ads.duckdb", "run", config) as (_, key):
            assert key.secrets == (content.strip(),)
    monkeypatch.setenv(KEY_VARIABLE, os.fsdecode(b"\xff" * 32))
    assert IdentifierKey.load(tmp_path / "x", PrivacyConfig()).secrets == (b"\xff" * 32,)


def test_the_place_of_a_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "own.key").write_bytes(b"a key for tests only")
    place = Path("~/own.key")
    assert IdentifierKey.load(tmp_path / "x", PrivacyConfig(key_file=place)) == KEY
    for wrong, says in (("a\0b", "NUL"), ("~no-such-user-here/key", "no such home folder")):
        with pytest.raises(ConfigError, match=says) as caught:
            IdentifierKey.load(tmp_path / "x", PrivacyConfig(key_file=Path(wrong)))
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("content", [None, b"short"])
def test_a_key_that_cannot_be_used_makes_no_warehouse(
    tmp_path: Path, content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    own, db = tmp_path / "own.key", tmp_path / "ads.duckdb"
    if content is not None:
        own.write_bytes(content)
    config = Config(privacy=PrivacyConfig(key_file=own))
    with pytest.raises(ConfigError), open_run(db, "run", config):
        pass
    assert not db.exists()


def test_a_full_disk_leaves_no_half_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(ConfigError, match="Free some space"),
        open_run(tmp_path / "ads.duckdb", "run", Config()),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
