"""What a day of `adscribe run` costs with one day of history and with thirty.

Usage: python benchmarks/history.py [--users N] [--days N] [--folder DIR] [--rebuild]

With --rebuild, all days go into a second warehouse at once, and the tables of both are compared.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import duckdb
from measure import measured


def main() -> None:
    """Simulate, run day by day in one process each, and print seconds per million rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--folder", type=Path, default=None, help="where to write (a fast disk)")
    parser.add_argument("--rebuild", action="store_true", help="compare with a run of all days")
    options = parser.parse_args()
    os.environ.setdefault("ADSCRIBE_KEY", "a key for benchmarks only")
    adscribe = str(Path(sys.executable).with_name("adscribe"))
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        logs, db = str(Path(name, "logs")), str(Path(name, "ads.duckdb"))
        size = ["--users", str(options.users), "--days", str(options.days), "--seed", "1"]
        measured([adscribe, "simulate", logs, *size])
        days = sorted(path.name.removeprefix("date=") for path in Path(logs).glob("date=*"))
        peaks = {}
        for day in days:
            run = measured([adscribe, "run", "--logs", logs, "--db", db, "--day", day, "--json"])
            peaks[day] = (run.seconds, run.peak_gib)
        if options.rebuild:
            rebuild(adscribe, logs, db)
        connection = duckdb.connect(db, read_only=True)
        stages = connection.sql(
            "SELECT day::VARCHAR, sum(rows_in) FILTER (WHERE stage = 'ingest'), "
            "json_group_object(stage, seconds) FROM runs GROUP BY day ORDER BY day"
        ).fetchall()
    print(f"{options.users:,} users, adscribe run of one day each")
    print("| day | log rows | ingest s | match s | attribute s | whole command s | s a million "
          "rows | peak GiB |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
    for number, (day, rows, seconds) in enumerate(stages, start=1):
        if number in (1, 2, 5, 10, 20) or number == len(stages):
            s, (whole, peak) = json.loads(seconds), peaks[day]
            parts = " | ".join(f"{s[stage]:.2f}" for stage in ("ingest", "match", "attribute"))
            rate = whole / rows * 1e6
            print(f"| {number} | {rows:,} | {parts} | {whole:.2f} | {rate:.2f} | {peak:.2f} |")


def rebuild(adscribe: str, logs: str, db: str) -> None:
    """Run all days in one command, ingested before any is matched, and compare the tables."""
    other = db + ".rebuilt"
    measured([adscribe, "ingest", "--logs", logs, "--db", other])
    measured([adscribe, "match", "--db", other])
    measured([adscribe, "attribute", "--db", other])
    hashes = [
        {
            row["table_name"]: (row["row_count"], row["row_hash"])
            for row in json.loads(report.output)
        }
        for path in (db, other)
        for report in [
            measured([adscribe, "report", "table_hashes", "--db", path, "--format=json"])
        ]
    ]
    print("| table | rows | day by day and rebuilt |\n|---|---|---|")
    for table, (rows, row_hash) in hashes[0].items():
        same = "equal" if hashes[1][table] == (rows, row_hash) else "DIFFERENT"
        print(f"| {table} | {rows:,} | {same} |")


if __name__ == "__main__":
    main()
