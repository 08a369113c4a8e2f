"""The warehouse that the tests forget people in."""

from pathlib import Path

import pytest

from tests.privacy.family import FAMILY, PEOPLE, copy
from tests.privacy.people import DAYS, add_customers, adscribe, make_world, write_rows


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a warehouse of three days in which PEOPLE bought and FAMILY's e-mail is shared."""
    root = tmp_path_factory.mktemp("forget")
    logs, db = make_world(root), root / "ads.duckdb"
    add_customers(logs, PEOPLE)
    shared = [
        {"user_id": user, "event_time": f"{DAYS[0]} 07:00:00", "email_sha256": FAMILY.email_sha256}
        for user in (PEOPLE[20].user_id, PEOPLE[21].user_id)
    ]
    write_rows(logs / f"date={DAYS[0]}" / "activity-family.csv", shared)
    refused = [
        {"user_id": PEOPLE[0].user_id, "touch_id": "x", "event_time": "never", "kind": "click",
         "advertiser_id": "adv_01", "campaign_id": "cmp_01"},
    ]  # fmt: skip
    write_rows(logs / f"date={DAYS[0]}" / "touchpoints-refused.csv", refused)
    base = {"event_time": f"{DAYS[2]} 11:00:00", "advertiser_id": "adv_02", "event_name": "lead"}
    others = [
        {**base, "signal_id": "stranger", "cookie_id": "nobody-s", "email": PEOPLE[1].email},
        {**base, "signal_id": "unknown", "phone": "+12125550199"},
        {**base, "signal_id": "family", "email": FAMILY.email, "event_time": "2026-01-07 12:00:00"},
        {**base, "signal_id": "known-s2"},
    ]
    write_rows(logs / f"date={DAYS[2]}" / "signals-others.csv", others)
    with (logs / f"date={DAYS[0]}" / "activity-known.csv").open("a") as file:
        file.write(f"{PEOPLE[2].user_id}" + ",x" * 40 + "\n")
    adscribe("run", "--logs", logs, "--db", db)
    return db


@pytest.fixture
def db(world: Path, tmp_path: Path) -> Path:
    return copy(world, tmp_path)
