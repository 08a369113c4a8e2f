"""The statements in the order in which the stages run them, and how to run one.

A later statement reads the temporary tables of an earlier one, so that only this order binds.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
import sqlglot
from polars._typing import PolarsDataType
from sqlglot import exp

from tests.sql_cases.bindings import FRAMES, PARAMETERS
from warehouse.config import PrivacyConfig
from warehouse.database import Warehouse, statement, statements
from warehouse.identifiers import identify
from warehouse.schemas import TABLES

FOLDERS: Final = (
    "attribution",
    "checks",
    "ingest",
    "ledger",
    "matching",
    "privacy",
    "reports",
    "schema",
)

INGEST: Final = (
    "ingest/macros",
    "ingest/read_csv",
    "ingest/read_json_lines",
    "ingest/unreadable_lines",
    "ingest/insert_replaced_identifiers",
    "ingest/delete_activity",
    "ingest/delete_touchpoints",
    "ingest/former_signals",
    "ingest/delete_signals",
    "ingest/delete_costs",
    "ingest/delete_signal_identifiers",
    "ingest/delete_rejected_rows",
    "ingest/delete_refused_identifiers",
    "ingest/staged_identifiers",
    "ingest/insert_activity",
    "ingest/insert_touchpoints",
    "ingest/insert_signals",
    "ingest/insert_costs",
    "ingest/stage_identifiers",
    "ingest/insert_refused_identifiers",
    "ingest/insert_rejected_rows",
    "ingest/repeated_touchpoints",
    "ingest/reject_repeated_touchpoints",
    "ingest/delete_repeated_touchpoints",
    "ingest/repeated_signals",
    "ingest/reject_repeated_signals",
    "ingest/count_repeated_signals",
    "ingest/delete_repeated_identifiers",
    "ingest/delete_repeated_signals",
    "ingest/repeated_costs",
    "ingest/reject_repeated_costs",
    "ingest/delete_repeated_costs",
    "ingest/insert_signal_identifiers",
    "ingest/count_gone_signals",
    "ingest/days_to_read_again",
    "ingest/insert_unlinked_days",
    "ingest/forget_addresses_of_activity",
    "ingest/forget_addresses_of_signals",
)
MATCHING: Final = (
    "matching/changed_rules",
    "matching/delete_identity_rules",
    "matching/insert_identity_rules",
    "matching/waiting_days",
    "matching/seen_links",
    "matching/changed_links",
    "matching/delete_changed_links",
    "matching/insert_changed_links",
    "matching/moved_links",
    "matching/delete_replaced_identifiers",
    "matching/work_signals",
    "matching/add_work_signals",
    "matching/add_compared_signals",
    "matching/delete_unlinked_days",
    "matching/carried_values",
    "matching/spoken_values",
    "matching/crowded_values",
    "matching/spoken_links",
    "matching/heavy_users",
    "matching/named_users",
    "matching/winners",
    "matching/new_evidence",
    "matching/old_evidence",
    "matching/delete_signal_evidence",
    "matching/insert_signal_evidence",
    "matching/changed_lessons",
    "matching/delete_matches",
    "matching/delete_match_conflicts",
    "matching/insert_matches",
    "matching/delete_match_thresholds",
    "matching/delete_blocking_days",
    "matching/newest_scheduled_day",
    "matching/learnable_days",
    "matching/scheduled_model",
    "matching/signal_days",
    "matching/unmatched_days",
    "matching/unmatched_signals",
    "matching/evaluate_judged_signals",
    "matching/evaluate_chosen_signals",
    "matching/training_signals",
    "matching/chosen_training_signals",
    "matching/identified_signals",
    "matching/order_sights",
    "matching/sightings",
    "matching/model_signals",
    "matching/signal_tokens",
    "matching/window_activity",
    "matching/delete_busy_activity",
    "matching/active_users",
    "matching/user_tokens",
    "matching/token_users",
    "matching/token_weights",
    "matching/band_sets",
    "matching/signal_bands",
    "matching/user_bands",
    "matching/count_band_sets",
    "matching/weighted_sets",
    "matching/insert_signal_bands",
    "matching/insert_user_bands",
    "matching/blocking_keys",
    "matching/candidate_pairs",
    "matching/count_candidate_pairs",
    "matching/signal_crowds",
    "matching/known_contacts",
    "matching/pair_contacts",
    "matching/compared_signals",
    "matching/compared_users",
    "matching/compared_pairs",
    "matching/compared_activity",
    "matching/training_facts",
    "matching/email_coverage",
    "matching/delete_pair_model",
    "matching/delete_held_out_signals",
    "matching/insert_pair_model",
    "matching/insert_held_out_signals",
    "matching/held_out_signals",
    "matching/chosen_advertisers",
    "matching/insert_blocking_days",
    "matching/insert_match_thresholds",
    "matching/insert_model_matches",
    "matching/insert_match_conflicts",
    "matching/insert_pending_signals",
    "matching/count_matches",
    "matching/evaluate_shared_addresses",
    "matching/evaluate",
    "matching/evaluate_model",
    "matching/evaluate_contact_truth",
    "matching/evaluate_candidates",
    "matching/evaluate_blocking_keys",
    "matching/explain_signal",
    "matching/explain_identifiers",
    "matching/explain_chosen_signal",
    "matching/explain_model",
    "matching/explain_kept_candidates",
    "matching/explain_tokens",
    "matching/explain_shared_tokens",
)
ATTRIBUTION: Final = (
    "attribution/insert_rules",
    "attribution/invalid_clicks",
    "attribution/delete_invalid_touches",
    "attribution/insert_invalid_touches",
    "attribution/invalid_observers",
    "attribution/invalid_user_changes",
    "attribution/delete_invalid_users",
    "attribution/insert_invalid_users",
    "attribution/touched_signals",
    "attribution/affected_orders",
    "attribution/order_signals",
    "attribution/first_signals",
    "attribution/add_first_signals",
    "attribution/signal_roles",
    "attribution/new_conversions",
    "attribution/stale_conversions",
    "attribution/stale_users",
    "attribution/delete_conversions",
    "attribution/delete_conversion_signals",
    "attribution/insert_conversions",
    "attribution/insert_conversion_signals",
    "attribution/touch_span",
    "attribution/reached_conversions",
    "attribution/work_conversions",
    "attribution/new_users",
    "attribution/add_later_installs",
    "attribution/delete_conversion_users",
    "attribution/insert_conversion_users",
    "attribution/reinstalls",
    "attribution/invalid_conversions",
    "attribution/kept_paths",
    "attribution/rule_keys",
    "attribution/sought_paths",
    "attribution/sought_span",
    "attribution/named_clicks",
    "attribution/delete_path_touches",
    "attribution/insert_path_touches",
    "attribution/known_users",
    "attribution/opportunities",
    "attribution/new_holdouts",
    "attribution/delete_holdout_conversions",
    "attribution/insert_holdout_conversions",
    "attribution/delete_holdout_days",
    "attribution/insert_holdout_days",
    "attribution/arm_counts",
    "attribution/delete_gone_rates",
    "attribution/rate_weeks",
    "attribution/holdout_counts",
    "attribution/holdout_exposures",
    "attribution/stored_rates",
    "attribution/delete_touch_rates",
    "attribution/insert_touch_rates",
    "attribution/add_rated_conversions",
    "attribution/ranked_touches",
    "attribution/paths",
    "attribution/old_credits",
    "attribution/delete_credits",
    "attribution/placed_touches",
    "attribution/last_touch",
    "attribution/last_click",
    "attribution/first_touch",
    "attribution/linear",
    "attribution/time_decay",
    "attribution/position_based",
    "attribution/calibrated_last_touch",
    "attribution/add_credits",
    "attribution/insert_restatements",
    "attribution/stored_users",
    "attribution/delete_rated_conversions",
    "attribution/history_days",
    "attribution/history_users",
    "attribution/history_touches",
    "attribution/history_known_users",
    "attribution/history_conversions",
    "attribution/histories",
    "attribution/history_rows",
    "attribution/history_touch_rows",
    "attribution/history_conversion_rows",
    "attribution/history_path_rows",
    "attribution/kept_credit_models",
    "attribution/credit_model_body",
    "attribution/delete_credit_model",
    "attribution/insert_credit_model",
    "attribution/delete_campaign_effects",
    "attribution/insert_campaign_effects",
    "attribution/prune_credit_models",
    "attribution/learned_touches",
    "attribution/learned_touch_rows",
    "attribution/learned_path_quarters",
    "attribution/learned_weights",
    "attribution/outgrown_conversions",
    "attribution/delete_stale_conversions",
    "attribution/delete_pending_signals",
    "attribution/delete_currency_rates",
    "attribution/insert_currency_rates",
    "attribution/missing_rates",
    "attribution/count_order_signals",
    "attribution/conversion_of_signal",
    "attribution/conversions_of_order",
    "attribution/explain_conversion",
    "attribution/explain_signals",
    "attribution/explain_candidates",
    "attribution/explain_rule_keys",
    "attribution/explain_rules",
    "attribution/explain_touches",
    "attribution/explain_credits",
    "attribution/explain_paths",
    "attribution/basis_of_credit",
    "attribution/compared_credits",
    "attribution/compared_intervals",
)
# the others read stored tables and the tables of these three only
_FORGETTING: Final = (
    "privacy/asked_identifiers",
    "privacy/forgotten_signals",
    "privacy/removed_identifiers",
)
PRIVACY: Final = (
    *_FORGETTING,
    *sorted({f"privacy/{name}" for name in statements("privacy")} - {*_FORGETTING}),
)
# these read nothing but stored tables, so that any order binds
UNORDERED: Final = tuple(
    f"{folder}/{name}" for folder in ("checks", "ledger", "reports") for name in statements(folder)
)
FLOW: Final = (*INGEST, *MATCHING, *ATTRIBUTION, *PRIVACY, *UNORDERED)

EVERY_STATEMENT: Final = tuple(
    f"{folder}/{name}" for folder in FOLDERS for name in statements(folder)
)
MIGRATIONS: Final = tuple(f"schema/{name}" for name in statements("schema"))


@cache
def trees(name: str) -> list[exp.Expression | None]:
    """Return the statements of a file as sqlglot reads them, once for all tests: change none."""
    return sqlglot.parse(statement(name), read="duckdb")


def parsed(name: str) -> exp.Expression:
    """Return a file's first statement as sqlglot reads it: change nothing of it."""
    tree = trees(name)[0]
    assert tree is not None
    return tree


@cache
def header(name: str) -> dict[str, str]:
    """Return what the comment at the top of a statement says, by its keys."""
    entries: dict[str, str] = {}
    for line in statement(name).splitlines():
        if not line.startswith("--"):
            break
        text = line.removeprefix("-- ")
        if text.startswith(" "):
            last = next(reversed(entries))
            entries[last] += " " + text.strip()
        else:
            key, _, value = text.partition(": ")
            entries[key] = value
    return entries


def connection(warehouse: Warehouse) -> duckdb.DuckDBPyConnection:
    """Return the connection of a warehouse, which only tests may use for SQL of their own."""
    return warehouse._connection


def run_on_empty(warehouse: Warehouse, name: str, folder: Path) -> list[str]:
    """Run one statement on an empty warehouse, with the frame or file that it reads.

    Returns the names of the columns of its result.
    """
    text = folder / "lines.txt"
    text.write_text("signal_id\n", encoding="utf-8")
    parameters = {
        word.strip(): {**PARAMETERS, "file": str(text)}[word.strip()]
        for word in _parameter_names(name)
    }
    with empty_frames(warehouse, name):
        return run(warehouse, name, parameters)


@contextmanager
def empty_frames(warehouse: Warehouse, name: str) -> Iterator[None]:
    """Put frames without rows where a statement reads one of Python's."""
    told = {word.strip() for word in header(name).get("reads", "").split(",")}
    schemas = {frame: schema for frame, schema in FRAMES.items() if frame in told}
    if "batch" in told:
        schemas["batch"] = _batch(name)
    with ExitStack() as frames:
        for word, schema in schemas.items():
            frames.enter_context(warehouse.frame(word, pl.DataFrame(schema=schema)))
        yield


def run(warehouse: Warehouse, name: str, parameters: dict[str, object]) -> list[str]:
    """Run one statement and return the names of the columns of its result."""
    cursor = connection(warehouse).execute(statement(name), parameters or None)
    columns = [column[0] for column in cursor.description]
    cursor.fetchall()
    return columns


def _parameter_names(name: str) -> list[str]:
    words = header(name)["parameters"].replace(",", " ").replace("(", " ").split()
    return [word.removeprefix("$") for word in words if word.startswith("$")]


def _batch(name: str) -> Mapping[str, PolarsDataType]:
    known = {"log_day": pl.Date, "source_row": pl.Int64}
    if name == "ingest/insert_rejected_rows":
        return {**known, "rule": pl.String, "content": pl.String}
    if name == "privacy/asked_identifiers":
        return {"source_row": pl.Int64, "kind": pl.String, "value": pl.String}
    table = TABLES.get(name.removeprefix("ingest/insert_"))
    empty = pl.DataFrame(schema={**known, **(table or TABLES["signals"]).columns})
    identified = identify(empty, table.name if table else "signals", PrivacyConfig())
    if table:
        return identified.rows.schema
    is_staging = name == "ingest/stage_identifiers"
    return (identified.identifiers if is_staging else identified.refused).schema
