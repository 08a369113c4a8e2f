"""The file of data centres: what it takes, how it complains, and what ingestion makes of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.warehouse.folders import (
    DAY,
    FOLDER,
    as_json_lines,
    ingest,
    row_counts,
    select,
    signal,
    write,
)
from warehouse.attribution_config import AttributionConfig, TrafficRules
from warehouse.config import Config, PrivacyConfig
from warehouse.data_centres import read_data_centres
from warehouse.database import Warehouse
from warehouse.errors import ConfigError

LISTED, OTHER = "11.22.33.44", "11.22.34.44"
SEEN = {"user_id": "u1", "event_time": f"{DAY} 10:00:00"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "networks.txt"


def _holds(path: Path, *octets: int) -> bool:
    found = read_data_centres(path)
    assert found is not None
    return found.hold(bytes(octets))


def test_comments_blank_lines_and_space_are_no_networks(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf# ours\r\n\r\n  11.22.33.0/24  # the first\r\n12.0.0.1\r\n#")

    assert _holds(path, 11, 22, 33, 255)
    assert not _holds(path, 11, 22, 34, 0)
    assert _holds(path, 12, 0, 0, 1)
    assert not _holds(path, 12, 0, 0, 2)


@pytest.mark.parametrize("content", ["", "# none yet\n"])
def test_a_file_without_networks_holds_nothing(path: Path, content: str) -> None:
    path.write_text(content)

    assert not _holds(path, 11, 22, 33, 44)
    assert not _holds(path, *bytes(16))


def test_without_a_file_there_are_no_data_centres() -> None:
    assert read_data_centres(None) is None


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("11.22.33.0/33", '"11.22.33.0/33" is no network. Write one network a line in CIDR'),
        ("11.22.33.1/24", '"11.22.33.1/24" is no network (it has bits beyond its length).'),
        ("11.22.33.0/255.255.255.0", '"11.22.33.0/255.255.255.0" is no network.'),
        ("11.22.33.0/", '"11.22.33.0/" is no network.'),
        ("11.22.33.*", '"11.22.33.*" is no network.'),
        ("011.22.33.0/24", '"011.22.33.0/24" is no network.'),
        ("11.22.33.0/24, 11.22.34.0/24", '"11.22.33.0/24, 11.22.34.0/24" is no network.'),
        ("2a00:1::/129", '"2a00:1::/129" is no network.'),
        ("2a00:1::%eth0/64", '"2a00:1::%eth0/64" is no network.'),
        ("x" * 100, f'"{"x" * 60}" is no network.'),
    ],
)
def test_a_line_that_is_no_network_is_named(path: Path, line: str, complaint: str) -> None:
    path.write_text(f"# ours\n11.22.33.0/24\n{line}\n")

    with pytest.raises(ConfigError) as caught:
        read_data_centres(path)

    assert str(caught.value).startswith(f"{path}, line 3: {complaint}")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"networks\.txt: No such file .* Name a readable file"):
        read_data_centres(path)
    path.mkdir()
    with pytest.raises(ConfigError, match=r"networks\.txt: Is a directory .* Name a readable file"):
        read_data_centres(path)
    path.rmdir()
    path.write_bytes("11.22.33.0/24 # Köln".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"networks\.txt: not UTF-8 "):
        read_data_centres(path)


def test_a_file_is_read_once_until_it_changes(path: Path) -> None:
    path.write_text("11.22.33.0/24\n")
    first = read_data_centres(path)

    assert read_data_centres(path) is first

    path.write_text("11.22.34.0/24\n")
    os.utime(path, ns=(1, 1))
    assert _holds(path, 11, 22, 34, 1)
    assert not _holds(path, 11, 22, 33, 1)


def test_of_an_address_in_a_data_centre_its_scope_alone_is_stored(
    warehouse: Warehouse, root: Path, path: Path
) -> None:
    path.write_text("11.22.33.0/24\n2a00:1::/32\n")
    config = _config(path)
    addresses = {
        LISTED: "data_centre",
        OTHER: "public",
        "2a00:1::5": "data_centre",
        "10.0.0.1": "private",
    }
    logs = {
        f"{FOLDER}/activity.jsonl": as_json_lines([{**SEEN, "ip": ip} for ip in addresses]),
        f"{FOLDER}/signals.jsonl": as_json_lines(
            [signal(f"s{place}", ip=ip) for place, ip in enumerate(addresses)]
        ),
    }

    ingest(warehouse, write(root, logs), config=config)

    for table in ("activity", "signals"):
        query = (
            "SELECT network_scope, address_digest IS NULL AND network_digest IS NULL AND "  # noqa: S608
            f"site_digest IS NULL AND ip IS NULL AS blank FROM {table} ORDER BY ALL"
        )
        assert select(warehouse, query).rows() == [
            ("data_centre", True), ("data_centre", True), ("private", True), ("public", False),
        ]  # fmt: skip


def test_without_a_list_the_same_address_is_public(warehouse: Warehouse, root: Path) -> None:
    logs = {f"{FOLDER}/activity.jsonl": as_json_lines([{**SEEN, "ip": LISTED}])}

    ingest(warehouse, write(root, logs))

    assert select(warehouse, "SELECT network_scope FROM activity").rows() == [("public",)]


def test_signals_without_consent_have_no_scope(
    warehouse: Warehouse, root: Path, path: Path
) -> None:
    path.write_text("11.22.33.0/24\n")
    rows = [signal("s1", ip=LISTED, consent="denied")]

    ingest(
        warehouse,
        write(root, {f"{FOLDER}/signals.jsonl": as_json_lines(rows)}),
        config=_config(path),
    )

    assert select(warehouse, "SELECT network_scope FROM signals").rows() == [(None,)]


def test_a_list_that_is_missing_keeps_the_warehouse_as_it_was(
    warehouse: Warehouse, root: Path, path: Path
) -> None:
    logs = write(root, {f"{FOLDER}/activity.jsonl": as_json_lines([{**SEEN, "ip": LISTED}])})
    ingest(warehouse, logs)
    before = row_counts(warehouse)

    with pytest.raises(ConfigError, match=r"networks\.txt"):
        ingest(warehouse, logs, config=_config(path))

    assert row_counts(warehouse) == before


def _config(path: Path) -> Config:
    traffic = TrafficRules(data_centres=path)
    return Config(privacy=PrivacyConfig(), attribution=AttributionConfig(traffic=traffic))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse.open(tmp_path / "ads.duckdb") as opened:
        yield opened
