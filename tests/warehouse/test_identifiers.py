"""Keyed digests against Python's own hmac, and the key itself."""

import hashlib
import hmac
import stat
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.folders import FOLDER, KEY, as_csv, ingest, select, signal, write
from warehouse.config import PrivacyConfig
from warehouse.database import Warehouse
from warehouse.errors import ConfigError
from warehouse.identifiers import KEY_VARIABLE, IdentifierKey, bind_key


def digest(key: IdentifierKey, kind: str, value: str) -> uuid.UUID:
    """Compute a keyed digest with Python's library only."""
    whole = hmac.new(key.secret, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()
    return uuid.UUID(whole[:32])


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@given(secret=st.binary(min_size=16, max_size=200), message=st.binary(max_size=100))
def test_the_pads_are_those_of_hmac(secret: bytes, message: bytes) -> None:
    pads = IdentifierKey(secret).pads
    inner = hashlib.sha256(pads["inner_pad"] + message).digest()
    outer = hashlib.sha256(pads["outer_pad"] + inner).digest()
    assert outer == hmac.new(secret, message, hashlib.sha256).digest()


def test_digests_in_the_warehouse_are_those_of_python(warehouse: Warehouse, root: Path) -> None:
    hashed = sha256("someone@mail.example")
    rows = [
        signal("s1", email=" Ann@Mail.Example ", phone="+1 (555) 123-4567", device_id="ABC-9"),
        signal("s2", email=hashed.upper(), phone="0015551234567", cookie_id=" c1 "),
        signal("s3", email="no address", phone="12", device_id="0000-0000", external_id="x 1"),
        signal("s4", click_id="Click-Ä", phone=sha256("+4930123456")),
    ]
    ingest(warehouse, write(root, {f"{FOLDER}/signals.csv": as_csv(rows)}))
    stored = select(warehouse, "SELECT * FROM signals ORDER BY signal_id")
    expected = {
        "email_digest": ["ann@mail.example", None, None, None],
        "phone_digest": ["+15551234567", "+15551234567", None, None],
    }
    for column, values in expected.items():
        kind = column.removesuffix("_digest")
        wanted = [value and digest(KEY, kind, sha256(value)) for value in values]
        if kind == "email":
            wanted[1] = digest(KEY, "email", hashed)
        else:
            wanted[3] = digest(KEY, "phone", sha256("+4930123456"))
        assert [value and uuid.UUID(str(value)) for value in stored[column]] == wanted
    plain = {
        "device_digest": [digest(KEY, "device_id", "abc-9"), None, None, None],
        "cookie_digest": [None, digest(KEY, "cookie_id", "c1"), None, None],
        "external_digest": [None, None, digest(KEY, "external_id", "a1:x 1"), None],
        "click_digest": [None, None, None, digest(KEY, "click_id", "Click-Ä")],
    }
    for column, wanted in plain.items():
        assert [value and uuid.UUID(str(value)) for value in stored[column]] == wanted


def test_a_key_is_made_once_and_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    database = tmp_path / "ads.duckdb"
    first = IdentifierKey.load(database, PrivacyConfig(), make=True)
    assert first == IdentifierKey.load(database, PrivacyConfig())
    assert stat.S_IMODE((tmp_path / "ads.duckdb.key").stat().st_mode) == 0o600
    assert first.secret.hex() not in repr(first)


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
    monkeypatch.setenv(KEY_VARIABLE, "fifteen-bytes!!")
    with pytest.raises(ConfigError, match="16 bytes") as caught:
        IdentifierKey.load(tmp_path / "ads.duckdb", PrivacyConfig())
    assert "fifteen" not in str(caught.value)


def test_another_key_is_refused(warehouse: Warehouse) -> None:
    bind_key(warehouse, KEY)
    bind_key(warehouse, KEY)
    with pytest.raises(ConfigError, match="written under key"):
        bind_key(warehouse, IdentifierKey(b"another key, for tests"))
