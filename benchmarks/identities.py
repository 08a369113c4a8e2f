"""How well identifiers alone find the users of a simulated world, and why the others are missed.

Usage: python benchmarks/identities.py [--users N] [--days N] [--seed N] [--folder DIR]

A signal has a usable identifier when one of its identifiers was seen, on any log day, with exactly
one user. It is found when it is matched. The last table shows, for each wrong match, whether the
identifier that decided is one that the truth gives to several persons: then nothing that the
platform was told could have warned it.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import duckdb
from measure import measured

PRECISION = """
SELECT
    coalesce(matches.method, 'all') AS method,
    count(*) AS matched,
    count(*) FILTER (WHERE truth.user_id = matches.user_id) AS correct,
    round(correct / matched, 5) AS precision
FROM matches
JOIN truth ON truth.signal_id = matches.signal_id
GROUP BY ROLLUP (matches.method)
ORDER BY grouping(matches.method) DESC, matched DESC
"""
FOUND = """
WITH holders AS (
    SELECT kind, digest, count(DISTINCT user_id) AS users, min(user_id) AS user_id
    FROM identity_links
    WHERE source <> 'signals'
    GROUP BY kind, digest
),
usable AS (
    SELECT
        signal_identifiers.signal_id,
        bool_or(holders.user_id = truth.user_id) AS of_its_person
    FROM signal_identifiers
    JOIN holders ON holders.kind = signal_identifiers.kind
        AND holders.digest = signal_identifiers.digest
    JOIN truth ON truth.signal_id = signal_identifiers.signal_id
    WHERE holders.users = 1
    GROUP BY signal_identifiers.signal_id
)
SELECT
    count(*) AS usable,
    round(count(matches.user_id) / count(*), 5) AS found,
    count(*) FILTER (WHERE usable.of_its_person) AS usable_of_its_person,
    round(
        count(*) FILTER (WHERE usable.of_its_person AND matches.user_id = truth.user_id)
        / count(*) FILTER (WHERE usable.of_its_person),
        5
    ) AS found_and_correct
FROM usable
JOIN truth ON truth.signal_id = usable.signal_id
LEFT JOIN matches ON matches.signal_id = usable.signal_id
"""
WRONG = """
WITH persons AS (
    -- a null user is somebody outside the platform: another person than any user
    SELECT identifiers.kind, identifiers.digest, coalesce(truth.user_id, 'outside') AS person
    FROM signal_identifiers AS identifiers
    JOIN truth ON truth.signal_id = identifiers.signal_id
    UNION
    SELECT kind, digest, user_id FROM identity_links WHERE source <> 'signals'
),
shared AS (
    SELECT kind, digest FROM persons GROUP BY kind, digest HAVING count(DISTINCT person) > 1
),
judged AS (
    SELECT
        matches.signal_id,
        matches.method,
        truth.user_id IS NULL AS of_an_outsider,
        bool_or(shared.digest IS NOT NULL) AS by_a_shared_identifier
    FROM matches
    JOIN truth ON truth.signal_id = matches.signal_id
    JOIN signal_identifiers AS identifiers
        ON identifiers.signal_id = matches.signal_id AND identifiers.kind = matches.method
    LEFT JOIN shared ON shared.kind = identifiers.kind AND shared.digest = identifiers.digest
    WHERE truth.user_id IS DISTINCT FROM matches.user_id
    GROUP BY ALL
)
SELECT method, of_an_outsider, by_a_shared_identifier, count(*) AS wrong
FROM judged
GROUP BY ALL
ORDER BY ALL
"""


def main() -> None:
    """Simulate, run, and print precision, what was found, and what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None, help="where to write (a fast disk)")
    options = parser.parse_args()
    adscribe = str(Path(sys.executable).with_name("adscribe"))
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        logs, db = str(Path(name, "logs")), str(Path(name, "ads.duckdb"))
        world = [f"--{key}={getattr(options, key)}" for key in ("users", "days", "seed")]
        measured([adscribe, "simulate", logs, *world])
        measured([adscribe, "run", "--logs", logs, "--db", db])
        connection = duckdb.connect(db)
        connection.read_parquet(str(Path(logs, "truth_match.parquet"))).create("truth")
        print(f"{options.users:,} users, {options.days} days, seed {options.seed}")
        for title, query in (
            ("precision", PRECISION),
            ("signals with a usable identifier", FOUND),
            ("wrong matches", WRONG),
        ):
            print(f"\n{title}\n{connection.sql(query)}")


if __name__ == "__main__":
    main()
