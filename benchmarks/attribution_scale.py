"""What the attribution of one day takes, beside DuckDB's bare join of the same touches.

Usage: python benchmarks/attribution_scale.py [--touchpoints N] [--uncertain 0.3] [--busy 0.5]
    [--repeats N] [--memory 5GiB] [--folder DIR] [--statements]

A warehouse is made of N touchpoints of N / 8 users over eight log days and N / 20 conversions of
the last day, from hashes of numbers, so that it is the same each time. 80% of the touchpoints are
impressions, 15% engaged views, 5% clicks; 10% are withheld. Half of them, or the share ``--busy``,
are of a tenth of the users. A user meets one to three of 30 advertisers, which have 200
campaigns. 85% of the conversions follow a touch of the same user and advertiser by less than a day,
so that most have a path; the others are of any user. One signal in 21 repeats another. All matches
are certain; with ``--uncertain`` that share of the signals has three candidates.

Each is timed in a process of its own, on a copy of that warehouse:

(a) the bare join: conversions with their users, in one plain table, joined with the touchpoints by
    user and advertiser, within windows written as constants, into a table with the columns of
    path_touches; committed.
(b) the whole stage ``attribute_day`` under last_touch: invalid traffic, deduplication, users,
    paths, credit, restatements, all checks of sql/checks, the ledger; committed.
(c) the same under all rule models.

Of (b) and (c) also what paths and credit take alone: the statements that find and store paths, and
those that make, store and compare credit. CPU seconds are of both threads; on a busy machine they
waver less than seconds. Peak memory is the process's (resident). With ``--statements`` the slowest
statements follow, by CPU seconds.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attribution_world import LAST_DAY, build
from measure import measured

from attribution.pipeline import attribute_day
from warehouse.attribution_config import LEARNED_MODELS, AttributionConfig, Model
from warehouse.config import Config, WarehouseConfig
from warehouse.database import Warehouse
from warehouse.runs import Run

TASKS: Final = {
    "join": "bare join into a table",
    "last_touch": "attribute, last_touch",
    "all": "attribute, all rule models",
}
SHAPE: Final = ("touchpoints", "uncertain", "busy")
RULE_MODELS: Final = tuple(
    model for model in Model if model not in (Model.CALIBRATED_LAST_TOUCH, *LEARNED_MODELS)
)
# what of the stage finds and stores paths; all after it until the credit is stored
PATHS: Final = (
    "kept_paths", "rule_keys", "sought_paths", "sought_span", "named_clicks", "delete_path_touches",
    "insert_path_touches",
)  # fmt: skip
CREDIT: Final = (
    "ranked_touches", "paths", "old_credits", "delete_credits", "placed_touches", *RULE_MODELS,
    "add_credits", "insert_restatements",
)  # fmt: skip
BARE_JOIN: Final = """
CREATE TABLE bare_join AS
SELECT
    bare_conversions.conversion_id,
    bare_conversions.day,
    touchpoints.touch_id,
    touchpoints.day AS touch_day,
    touchpoints.event_time AS touch_time,
    touchpoints.user_id,
    touchpoints.kind,
    touchpoints.campaign_id,
    touchpoints.ad_id,
    touchpoints.surface,
    touchpoints.creator_id,
    false AS named,
    CASE touchpoints.kind WHEN 'click' THEN 1 WHEN 'engaged_view' THEN 2 ELSE 3 END AS strength,
    CAST(NULL AS VARCHAR) AS reason
FROM bare_conversions
JOIN touchpoints
    ON touchpoints.user_id = bare_conversions.user_id
    AND touchpoints.advertiser_id = bare_conversions.advertiser_id
    AND touchpoints.event_time <= bare_conversions.event_time
    AND touchpoints.event_time + CASE WHEN touchpoints.kind = 'click' THEN INTERVAL 168 HOURS
        ELSE INTERVAL 24 HOURS END >= bare_conversions.event_time
WHERE touchpoints.arm <> 'control'
"""


def main() -> None:
    """Print a table of seconds, ratios and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--touchpoints", type=int, default=10_000_000)
    parser.add_argument("--uncertain", type=float, default=0.0)
    parser.add_argument("--busy", type=float, default=0.5, help="share of a tenth of the users")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--memory", default="5GiB", help="DuckDB's memory limit")
    parser.add_argument("--folder", type=Path, default=None, help="where to write (a fast disk)")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--statements", action="store_true", help="tell the slowest statements")
    parser.add_argument("--build", type=Path, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build is not None:
        shape = {name: getattr(options, name) for name in SHAPE}
        build(options.build, **shape)
    elif options.work is not None:
        work(options.work, options.tasks[0], options.memory)
    else:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            compare(Path(name), options)


def compare(folder: Path, options: argparse.Namespace) -> None:
    """Build the warehouse, do each task on copies of it, and print."""
    made, copy = folder / "made.duckdb", folder / "copy.duckdb"
    script = [sys.executable, __file__]
    told = [f"--{name}={getattr(options, name)}" for name in SHAPE]
    print(measured([*script, "--build", str(made), *told]).output, end="", flush=True)
    results: dict[str, list[dict[str, float]]] = {task: [] for task in options.tasks}
    for _ in range(options.repeats):
        for task in options.tasks:
            shutil.copyfile(made, copy)
            memory = f"--memory={options.memory}"
            child = measured([*script, "--work", str(copy), memory, "--tasks", task])
            copy.unlink()
            results[task].append(json.loads(child.output) | {"gib": child.peak_gib})
    show(results, options)


def show(results: dict[str, list[dict[str, float]]], options: argparse.Namespace) -> None:
    """Print the medians; the stage beside the join, and all models beside one."""
    median: dict[str, dict[str, float]] = {
        task: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for task, runs in results.items()
    }
    nothing = {"seconds": 0.0, "cpu seconds": 0.0}
    join, one, every = (median.get(task, nothing) for task in TASKS)
    print(f"DuckDB memory limit {options.memory}, 2 threads, median of {options.repeats}")
    print("| what | part | seconds | of the join | CPU seconds | of the join | rows | peak GiB |")
    print("|---|---|---|---|---|---|---|---|")
    for task, run in median.items():
        gib = max(result["gib"] for result in results[task])
        for part, names in (("whole", ("seconds",)), ("paths and credit", (*PATHS, *CREDIT))):
            if task == "join" and part != "whole":
                continue
            wall, cpu = (sum(run.get(of + name, 0.0) for name in names) for of in ("", "cpu "))
            print(
                f"| {TASKS[task]} | {part} | {wall:.1f} | {ratio(wall, join['seconds'])} | "
                f"{cpu:.1f} | {ratio(cpu, join['cpu seconds'])} | {run['rows']:,.0f} | {gib:.2f} |"
            )
    print(
        f"all rule models to last_touch: {ratio(every['seconds'], one['seconds'])} of the seconds, "
        f"{ratio(every['cpu seconds'], one['cpu seconds'])} of the CPU seconds"
    )
    for task, run in median.items() if options.statements else ():
        slowest = sorted((-run[f"cpu {name}"], name) for name in run if f"cpu {name}" in run)
        print(f"{TASKS[task]}: {', '.join(f'{name} {-cpu:.2f}' for cpu, name in slowest[:20])}")


def ratio(seconds: float, base: float) -> str:
    """Return how often the base goes into it; nothing where it was not measured."""
    return f"{seconds / base:.2f}" if seconds and base else ""


def work(path: Path, task: str, memory: str) -> None:
    """Do one task and print its seconds, all and by statement, as JSON."""
    config = Config(
        warehouse=WarehouseConfig(memory_limit=memory, threads=2),
        attribution=AttributionConfig(
            models=RULE_MODELS if task == "all" else (Model.LAST_TOUCH,),
        ),
    )
    with Warehouse.open(path, config=config.warehouse) as warehouse:
        times = timed(warehouse)
        with noted(times, "seconds"):
            if task == "join":
                warehouse._connection.execute(BARE_JOIN)
            else:
                attribute_day(Run(warehouse, "benchmark", config), LAST_DAY)
        table = "bare_join" if task == "join" else "credits"
        rows = warehouse._connection.table(table).shape[0]
    print(json.dumps({**times, "rows": rows}))


@contextmanager
def noted(times: dict[str, float], name: str) -> Iterator[None]:
    """Add the seconds, and the CPU seconds of all threads, that the block takes."""
    started, cpu_started = time.monotonic(), time.process_time()
    yield
    times[name] += time.monotonic() - started
    times[f"cpu {name}"] += time.process_time() - cpu_started


def timed(warehouse: Warehouse) -> dict[str, float]:
    """Let the warehouse note what each statement takes, by its name without the folder."""
    times: dict[str, float] = defaultdict(float)

    def noting(run: Callable[..., object]) -> Callable[..., object]:
        def told(name: str, /, **parameters: object) -> object:
            with noted(times, name.rpartition("/")[2]):
                return run(name, **parameters)

        return told

    for method in ("execute", "query"):
        setattr(warehouse, method, noting(getattr(warehouse, method)))
    return times


if __name__ == "__main__":
    main()
