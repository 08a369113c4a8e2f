"""Worlds and configurations in which models are fitted in a few log days."""

from datetime import date, timedelta
from typing import Final

import polars as pl

from tests.stages.histories import table
from tests.stages.settings import ATTRIBUTION, CONFIG, DAYS
from tests.stages.spellings import sha256
from tests.stages.worlds import Day
from warehouse.attribution_config import LEARNED_MODELS, LearnedRules, Model
from warehouse.config import Config, IdentityRule
from warehouse.database import Warehouse

WEEK: Final = [DAYS[0] + timedelta(days=n) for n in range(7)]
LEARNED_NAMES: Final = [str(model) for model in LEARNED_MODELS]
RULES: Final = LearnedRules(history_days=5, refit_days=3, least_conversions=40, most_moved=1.0)
# an e-mail of one's own names a user, whatever others are about
IDENTITIES: Final = CONFIG.identities.model_copy(
    update={"email": IdentityRule(users=2, per_user=9)}
)


def config_of(*others: Model, **changes: float) -> Config:
    learned = RULES.model_copy(update=changes)
    models = (Model.LAST_TOUCH, *others, *LEARNED_MODELS)
    attribution = ATTRIBUTION.model_copy(update={"models": models, "learned": learned})
    return CONFIG.model_copy(update={"attribution": attribution, "identities": IDENTITIES})


def make_known(content: Day) -> Day:
    """Return the logs of a day in which three signals of four bring the e-mail of one user.

    Models are fitted on conversions whose users are known without a click id: so that few worlds
    have enough of them.
    """
    users = sorted({str(row["user_id"]) for row in content.touchpoints})
    seen = [
        {"user_id": user, "event_time": first_time(content, user), "email_sha256": sha256(email)}
        for user in users
        for email in [f"{user}@example.com"]
    ]
    known = [
        row
        if number % 4 == 0
        else {**row, "email": f"{str(row['signal_id'])[:4]}u{number % 3}@example.com"}
        for number, row in enumerate(content.signals)
    ]
    return Day(content.activity + seen, content.touchpoints, known)


def first_time(content: Day, user: str) -> object:
    return next(row["event_time"] for row in content.touchpoints if row["user_id"] == user)


def attempts(warehouse: Warehouse) -> pl.DataFrame:
    """Return the rows of credit_models, those of a model one after another."""
    return table(warehouse, "credit_models").sort("model", "last_day")


def days_of(warehouse: Warehouse, model: str, status: str) -> list[date]:
    return attempts(warehouse).filter(model=model, status=status)["last_day"].to_list()
