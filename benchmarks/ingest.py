"""Ingestion with validation beside DuckDB's bare CREATE TABLE AS SELECT of the same Parquet files.

Usage: python benchmarks/ingest.py [--touchpoints N] [--signals N] [--repeats N] [--folder DIR]
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import duckdb
from measure import measured

DAY = "2026-01-05"
TOUCHPOINTS = """
COPY (
    SELECT
        't' || lpad(i::VARCHAR, 12, '0') AS touch_id,
        TIMESTAMP '2026-01-05' + to_microseconds((hash(i) % 86400000000)::BIGINT) AS event_time,
        'u' || lpad((hash(i * 7) % 1000000)::VARCHAR, 7, '0') AS user_id,
        CASE WHEN hash(i * 3) % 100 < 90 THEN 'impression'
             WHEN hash(i * 3) % 100 < 95 THEN 'engaged_view' ELSE 'click' END AS kind,
        'adv_' || (hash(i * 11) % 10) AS advertiser_id,
        'cmp_' || (hash(i * 13) % 50) AS campaign_id,
        'ad_' || (hash(i * 17) % 500) AS ad_id,
        ['feed', 'short_video', 'live', 'search', 'shop'][1 + (hash(i * 19) % 5)::INT] AS surface,
        'cr_' || (hash(i * 23) % 1000) AS creator_id,
        CASE WHEN hash(i * 3) % 100 >= 95 THEN md5(i::VARCHAR) END AS click_id,
        round((hash(i * 29) % 1000) / 100000.0, 5) AS cost,
        'USD' AS currency,
        CASE WHEN hash(i * 31) % 10 = 0 THEN 'control' ELSE 'treatment' END AS arm
    FROM range($rows) AS t(i)
) TO '{file}' (FORMAT parquet)
"""
SIGNALS = """
COPY (
    SELECT
        's' || lpad(i::VARCHAR, 12, '0') AS signal_id,
        TIMESTAMP '2026-01-05' + to_microseconds((hash(i) % 86400000000)::BIGINT) AS event_time,
        'adv_' || (hash(i * 11) % 10) AS advertiser_id,
        'purchase' AS event_name,
        'o' || (i // 1.1)::BIGINT AS order_id,
        round((hash(i * 29) % 100000) / 100.0, 2) AS value,
        'USD' AS currency,
        CASE WHEN hash(i * 37) % 12 = 0 THEN md5(i::VARCHAR) END AS click_id,
        CASE WHEN hash(i * 41) % 7 = 0 THEN 'person' || (hash(i * 7) % 1000000) || '@mail.example'
            END AS email,
        CASE WHEN hash(i * 43) % 20 = 0 THEN '+1 555 ' || (1000000 + hash(i * 7) % 1000000) END
            AS phone,
        '11.' || (hash(i * 47) % 256) || '.' || (hash(i * 53) % 256) || '.7' AS ip,
        'Mozilla/5.0 (iPhone; CPU iPhone OS 18_' || (hash(i * 59) % 6) || ' like Mac OS X)'
            AS user_agent,
        '390x844' AS screen, 'en-US' AS language, 'US' AS country,
        'https://shop.example/thanks?order=' || i AS url
    FROM range($rows) AS t(i)
) TO '{file}' (FORMAT parquet)
"""
BARE = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
for table, file in zip(("touchpoints", "signals"), sys.argv[2:]):
    connection.execute(f"CREATE TABLE {table} AS SELECT * FROM read_parquet('{file}')")
connection.close()
"""


def write_logs(folder: Path, touchpoints: int, signals: int) -> list[str]:
    """Write one day of made logs; return the two files."""
    day = folder / "logs" / f"date={DAY}"
    day.mkdir(parents=True)
    files = [day / "touchpoints.parquet", day / "signals.parquet"]
    connection = duckdb.connect()
    for statement, file, rows in zip(
        (TOUCHPOINTS, SIGNALS), files, (touchpoints, signals), strict=True
    ):
        connection.execute(statement.format(file=file), {"rows": rows})
    connection.close()
    return [str(file) for file in files]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--touchpoints", type=int, default=10_000_000)
    parser.add_argument("--signals", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None, help="where to write (a fast disk)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        files = write_logs(folder, options.touchpoints, options.signals)
        logs, bare, ours = str(folder / "logs"), [], []
        adscribe = str(Path(sys.executable).with_name("adscribe"))
        for number in range(options.repeats):
            path = folder / f"{number}.duckdb"
            bare.append(measured([sys.executable, "-c", BARE, f"{path}.bare", *files]))
            ours.append(measured([adscribe, "ingest", "--logs", logs, "--db", str(path)]))
            for file in folder.glob(f"{number}.duckdb*"):
                file.unlink()
    ratios = [mine.seconds / theirs.seconds for mine, theirs in zip(ours, bare, strict=True)]
    print(f"{options.touchpoints:,} touchpoints, {options.signals:,} signals, Parquet, median of "
          f"{options.repeats}")  # fmt: skip
    print("| what | seconds | ratio | peak memory GiB |\n|---|---|---|---|")
    for label, runs, ratio in (
        ("DuckDB CREATE TABLE AS SELECT", bare, 1.0),
        ("adscribe ingest (validated, digests, repeats)", ours, statistics.median(ratios)),
    ):
        seconds = statistics.median(run.seconds for run in runs)
        print(f"| {label} | {seconds:.1f} | {ratio:.2f} | {max(r.peak_gib for r in runs):.2f} |")


if __name__ == "__main__":
    main()
