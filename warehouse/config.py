"""The configuration file: pydantic models read from TOML.

Every key has a default, so that the file may be absent. A key that does not exist is an error that
names the nearest one that does.
"""

import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from warehouse.attribution_config import AttributionConfig, Model, require_a_rule
from warehouse.config_errors import explain
from warehouse.config_sections import Method, Section
from warehouse.errors import ConfigError, nearest
from warehouse.schemas import TABLES

_RESERVED: Final = ("", "source_row")  # the second is the name of a row's number


class Consent(StrEnum):
    """The consent that a signal needs to be used for more than counts."""

    NOT_DENIED = "not_denied"
    GRANTED = "granted"


class WarehouseConfig(Section):
    """``[warehouse]``: what DuckDB may use."""

    memory_limit: str | None = None
    threads: Annotated[int, Field(strict=True, ge=1, le=1024)] | None = None

    @field_validator("memory_limit")
    @classmethod
    def _is_a_size(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})? ?[KMGT]i?B", value):
            raise ValueError(f'"{value[:60]}" is no size; write one such as 8GiB')
        return value


class PrivacyConfig(Section):
    """``[privacy]``: the key of the digests, consent, and addresses in clear."""

    key_file: Path | None = None
    consent: Consent = Consent.NOT_DENIED
    keep_addresses_days: Annotated[int, Field(strict=True, ge=1, le=36_500)] | None = None


class MatchingConfig(Section):
    """``[matching]``: which identifiers are followed, the most trusted first."""

    order: Annotated[tuple[Method, ...], Field(min_length=1)] = tuple(Method)

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        for kind in self.order:
            if self.order.count(kind) > 1:
                raise ValueError(f"{kind} stands twice in order; name it once")
        return self


class IdentityRule(Section):
    """``[identities.KIND]``: how one kind of identifier is followed (docs/identities.md).

    Attributes
    ----------
    days : int or None
        How long before its first day and after its last a link speaks; None is for ever.
    users : int
        Users of one identifier, beyond which it is suppressed.
    per_user : int or None
        Identifiers of one user and scope, beyond which they are suppressed; None is any number.
    unique : bool
        Whether the identifier belongs to one person by its making.
    """

    days: Annotated[int, Field(strict=True, ge=0, le=36_500)] | None = None
    users: Annotated[int, Field(strict=True, ge=1, le=2_000_000_000)] = 4
    per_user: Annotated[int, Field(strict=True, ge=1, le=2_000_000_000)] | None = None
    unique: Annotated[bool, Field(strict=True)] = False


class IdentitiesConfig(Section):
    """``[identities]``: the rule of each kind of identifier."""

    click_id: IdentityRule = IdentityRule(days=90, users=1, unique=True)
    email: IdentityRule = IdentityRule(per_user=10)
    phone: IdentityRule = IdentityRule(days=365, per_user=10)
    device_id: IdentityRule = IdentityRule(days=180, per_user=30)
    cookie_id: IdentityRule = IdentityRule(days=90, per_user=200)
    external_id: IdentityRule = IdentityRule(users=1, per_user=1, unique=True)

    @model_validator(mode="before")
    @classmethod
    def _keep_what_is_not_told(cls, told: object) -> object:
        """Put the defaults of its own kind where a section leaves a key out."""
        if not isinstance(told, dict):
            return told
        return {
            kind: {**cls.model_fields[kind].default.model_dump(), **rule}
            if kind in cls.model_fields and isinstance(rule, dict)
            else rule
            for kind, rule in told.items()
        }

    def rule(self, kind: Method) -> IdentityRule:
        """Return the rule of one kind."""
        found: IdentityRule = getattr(self, kind.value)
        return found


class DeclareRule(Section):
    """``[model.declare]`` or ``[model.advertisers.NAME]``: which best candidates are matches.

    Attributes
    ----------
    probability : float or None
        The candidate's probability is this or more.
    precision : float or None
        Of the matches of an advertiser, this share is expected to be right.
    """

    probability: Annotated[float, Field(strict=True, ge=0, le=1)] | None = None
    precision: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.probability is None) == (self.precision is None):
            raise ValueError("name either probability or precision")
        return self


class ModelConfig(Section):
    """``[model]``: matches of signals that no identifier gave a user (docs/matching.md).

    Attributes
    ----------
    enabled : bool
        Whether a model matches at all.
    lookback_days : int
        Log days of activity that a signal is compared with, its own included.
    candidates : int
        Users who compete for one signal, about.
    keep : int
        Candidates of a signal that are kept as matches, the likeliest first.
    floor : float
        Least probability of a kept candidate.
    declare : DeclareRule
        From when on the best candidate is acted upon.
    advertisers : dict of str to DeclareRule
        The same for single advertisers.
    training_days : int
        Log days that a model is trained on.
    training_signals : int
        Most signals that a model is trained on.
    enough_signals : int
        Signals with the e-mail or phone of a user that a model needs.
    seed : int
        Same seed, same model.
    """

    enabled: Annotated[bool, Field(strict=True)] = True
    lookback_days: Annotated[int, Field(strict=True, ge=1, le=63)] = 30
    candidates: Annotated[int, Field(strict=True, ge=1, le=1000)] = 40
    keep: Annotated[int, Field(strict=True, ge=1, le=100)] = 3
    floor: Annotated[float, Field(strict=True, ge=0, le=1)] = 0.02
    declare: DeclareRule = DeclareRule(probability=0.5)
    advertisers: dict[str, DeclareRule] = Field(default_factory=dict)
    training_days: Annotated[int, Field(strict=True, ge=1, le=64)] = 14
    training_signals: Annotated[int, Field(strict=True, ge=100)] = 50_000
    enough_signals: Annotated[int, Field(strict=True, ge=100)] = 150
    seed: Annotated[int, Field(strict=True, ge=0, le=2_000_000_000)] = 1


class Config(Section):
    """The whole configuration file."""

    warehouse: WarehouseConfig = WarehouseConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    columns: dict[str, dict[str, str]] = Field(default_factory=dict)
    matching: MatchingConfig = MatchingConfig()
    identities: IdentitiesConfig = IdentitiesConfig()
    model: ModelConfig = ModelConfig()
    attribution: AttributionConfig = AttributionConfig()

    @model_validator(mode="after")
    def _columns_exist(self) -> Self:
        for table, mapping in self.columns.items():
            if table not in TABLES:
                raise ValueError(f"[columns.{table}]: no such log; {nearest(table, TABLES)}")
            known = TABLES[table].columns
            for column in mapping:
                if column not in known:
                    raise ValueError(
                        f"[columns.{table}] {column}: no such column; {nearest(column, known)}"
                    )
            if len(set(mapping.values())) < len(mapping):
                raise ValueError(
                    f"[columns.{table}]: two columns are read from the same source; name another"
                )
            for column, source in mapping.items():
                if source in _RESERVED:
                    raise ValueError(
                        f'[columns.{table}] {column}: no column can be called "{source}". '
                        "Rename it in the file"
                    )
        return self


def load_config(path: Path | None) -> Config:
    """Read a configuration file; the defaults when there is none.

    Parameters
    ----------
    path : Path or None
        A TOML file.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not TOML, or has an unknown key or a wrong value.
    """
    if path is None:
        return Config()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}. Name a readable file.") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: not valid TOML: lists within lists, too deep.") from error
    except ValueError as error:  # also what is no UTF-8, and a number of thousands of digits
        raise ConfigError(f"{path}: not valid TOML: {error}.") from error
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{path}: {explain(error, Config)}") from error


def with_models(config: Config, names: str) -> Config:
    """Return the configuration with other attribution models.

    Parameters
    ----------
    config : Config
        The configuration to start from.
    names : str
        Names of models, separated by commas, or ``all``.

    Raises
    ------
    ConfigError
        If there is no such model, or all of them are fitted on the logs.
    """
    known = [str(model) for model in Model]
    chosen = known if names == "all" else [name.strip() for name in names.split(",")]
    for name in chosen:
        if name not in known:
            raise ConfigError(f'--models: no model "{name}"; {nearest(name, known)}')
    models = tuple(map(Model, dict.fromkeys(chosen)))
    try:
        require_a_rule(models)
    except ValueError as error:
        raise ConfigError(f"--models: {error}.") from error
    attribution = config.attribution.model_copy(update={"models": models})
    return config.model_copy(update={"attribution": attribution})
