"""The section ``[attribution]`` of the configuration file: what may earn a conversion, and how."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, field_validator, model_validator

from warehouse.config_sections import Section
from warehouse.schemas import Surface

Hours = Annotated[int, Field(strict=True, ge=0, le=90 * 24)]
Seconds = Annotated[int, Field(strict=True, ge=0, le=90 * 86_400)]
_Days = Annotated[int, Field(strict=True, ge=0, le=730)]
_Share = Annotated[float, Field(strict=True, ge=0, le=1)]
_Count = Annotated[int, Field(strict=True, ge=1, le=2_000_000_000)]


class Model(StrEnum):
    """A way to divide a conversion among its touchpoints."""

    LAST_TOUCH = "last_touch"
    LAST_CLICK = "last_click"
    FIRST_TOUCH = "first_touch"
    LINEAR = "linear"
    TIME_DECAY = "time_decay"
    POSITION_BASED = "position_based"
    CALIBRATED_LAST_TOUCH = "calibrated_last_touch"
    MARKOV = "markov"
    SHAPLEY = "shapley"
    HAZARD = "hazard"
    COUNTERFACTUAL = "counterfactual"
    INCREMENTAL = "incremental"


LEARNED_MODELS: Final = (
    Model.MARKOV, Model.SHAPLEY, Model.HAZARD, Model.COUNTERFACTUAL, Model.INCREMENTAL,
)  # fmt: skip
"""Models that are fitted on the logs, by a schedule."""


def require_a_rule(models: tuple[Model, ...]) -> None:
    """See that credit does not hang on fitted models alone: on a first day there may be none.

    Raises
    ------
    ValueError
        If there is no other.
    """
    if all(model in LEARNED_MODELS for model in models):
        raise ValueError(
            f"{models[0]} is fitted on the logs, and the first days may be too few; name a model "
            "beside it that is not, such as last_touch"
        )


class TouchKind(StrEnum):
    """What the user did with the ad."""

    CLICK = "click"
    ENGAGED_VIEW = "engaged_view"
    IMPRESSION = "impression"


class MatchMethod(StrEnum):
    """How the user of a conversion was found: by an identifier, or by the model of pairs."""

    CLICK_ID = "click_id"
    EMAIL = "email"
    PHONE = "phone"
    DEVICE_ID = "device_id"
    COOKIE_ID = "cookie_id"
    EXTERNAL_ID = "external_id"
    MODEL = "model"


class Windows(Section):
    """How long before a conversion a touch may lie; None is not told here.

    Attributes
    ----------
    click_window_hours, engaged_view_window_hours, view_window_hours : int or None
        Longest time from the touch to the conversion; the edge counts.
    least_click_seconds, least_view_seconds : int or None
        Shortest time from a click, or from a view of either kind; a conversion sooner after it
        cannot come of it.
    """

    click_window_hours: Hours | None = None
    engaged_view_window_hours: Hours | None = None
    view_window_hours: Hours | None = None
    least_click_seconds: Seconds | None = None
    least_view_seconds: Seconds | None = None


class AdvertiserRules(Windows):
    """``[attribution.advertisers.NAME]``: other windows, and what may earn its conversions.

    Attributes
    ----------
    surfaces, campaigns : tuple of Surface, of str, or None
        The only ones that may earn; None is all.
    excluded_surfaces, excluded_campaigns : tuple of Surface, of str
        Those that may not.
    """

    surfaces: tuple[Surface, ...] | None = None
    campaigns: tuple[str, ...] | None = None
    excluded_surfaces: tuple[Surface, ...] = ()
    excluded_campaigns: tuple[str, ...] = ()


class InstallRules(Section):
    """``[attribution.installs]``: app installs that are none, for the user had the app before.

    Attributes
    ----------
    events : tuple of str
        Event names that are installs.
    reattribution_days : int
        An install within reattribution_days after an earlier one of the same user, the edge
        counted, is a reinstall; 0 is never.
    inactivity_days : int
        A reinstall is credited again after so many days without an event of that user; the edge
        counts.
    """

    events: tuple[str, ...] = ("install",)
    reattribution_days: _Days = 90
    inactivity_days: _Days = 30


class TrafficRules(Section):
    """``[attribution.traffic]``: touches and conversions that are not a person's.

    Attributes
    ----------
    bots : bool
        Whether users and signals whose user agents name a bot are refused.
    bot_share : float
        A user is a bot where more than this share of his observations is of bots or data centres.
    data_centres : Path or None
        A file of networks, one in CIDR notation a line, that are no homes of people.
    clicks_per_hour : int or None
        Clicks of one user on one campaign in one hour of UTC, beyond which they are flooded; None
        is any number.
    creator_clicks : int
        Fewest clicks of a creator on a day that are judged by their rate.
    creator_click_rate : float or None
        Clicks for each impression of a creator on a day, beyond which his clicks are flooded.
    """

    bots: Annotated[bool, Field(strict=True)] = True
    bot_share: _Share = 0.5
    data_centres: Path | None = None
    clicks_per_hour: _Count | None = 20
    creator_clicks: _Count = 50
    creator_click_rate: Annotated[float, Field(strict=True, gt=0)] | None = 0.5


class MoneyRules(Section):
    """``[attribution.money]``: one currency to report in.

    Attributes
    ----------
    currency : str or None
        The currency of the reports in one currency (ISO 4217); None is none.
    rates : Path or None
        A table (CSV, JSON lines or Parquet) of date, currency and rate: units of `currency` for one
        unit.
    oldest_rate_days : int
        How old a rate may be on the day that it is used.
    """

    currency: str | None = None
    rates: Path | None = None
    oldest_rate_days: _Days = 7

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.currency is None) != (self.rates is None):
            raise ValueError("name both currency and rates, or neither")
        return self


class LearnedRules(Section):
    """``[attribution.learned]``: when models are fitted, on what, and when a fit is refused.

    Attributes
    ----------
    history_days : int
        Log days that a model is fitted on, or as many as there are.
    refit_days : int
        Log days that a model serves before the next is fitted.
    least_conversions : int
        Fewest expected conversions of known users to fit on.
    most_moved : float
        The share of credit that may go to other campaigns than under the model before; with more
        the new one is refused, and the former serves on.
    """

    history_days: Annotated[int, Field(strict=True, ge=1, le=365)] = 28
    refit_days: Annotated[int, Field(strict=True, ge=1, le=365)] = 7
    least_conversions: _Count = 200
    most_moved: _Share = 0.5


class AttributionConfig(Section):
    """``[attribution]``: models, and what may earn a conversion (docs/attribution.md).

    Attributes
    ----------
    models : tuple of Model
        The models that credit is worked out under.
    preset : str
        The rules that hold where nothing else is told: a file of attribution/presets.
    click_window_hours, engaged_view_window_hours, view_window_hours, least_click_seconds
        As in :class:`Windows`; None is the preset's.
    methods : dict of MatchMethod to Windows
        Shorter windows for users found by a method; they shorten, never lengthen.
    events : dict of str to Windows
        Other windows for single events.
    advertisers : dict of str to AdvertiserRules
        Other rules for single advertisers.
    kinds : tuple of tuple of TouchKind, or None
        Kinds of touch, the strongest first; those of one inner list are equals. None is the
        preset's.
    named_click_first : bool or None
        Whether the click that a signal's click_id names comes before any other touch.
    half_life_hours : int
        In time_decay, the weight of a touch halves in this time.
    first_share, last_share : float
        In position_based, the shares of the first and of the last touch.
    dedup_window_hours : int
        Signals of one order within it are one conversion.
    late_days : int
        Log days after a day on which its rows may still come; until then it is provisional.
    """

    models: Annotated[tuple[Model, ...], Field(min_length=1)] = (
        Model.LAST_TOUCH,
        Model.CALIBRATED_LAST_TOUCH,
        Model.INCREMENTAL,
    )
    preset: str = "platform"
    click_window_hours: Hours | None = None
    engaged_view_window_hours: Hours | None = None
    view_window_hours: Hours | None = None
    least_click_seconds: Seconds | None = None
    least_view_seconds: Seconds | None = None
    methods: dict[MatchMethod, Windows] = Field(default_factory=dict)
    events: dict[str, Windows] = Field(default_factory=dict)
    advertisers: dict[str, AdvertiserRules] = Field(default_factory=dict)
    kinds: tuple[tuple[TouchKind, ...], ...] | None = None
    named_click_first: Annotated[bool, Field(strict=True)] | None = None
    installs: InstallRules = InstallRules()
    traffic: TrafficRules = TrafficRules()
    money: MoneyRules = MoneyRules()
    learned: LearnedRules = LearnedRules()
    half_life_hours: Annotated[int, Field(strict=True, ge=1, le=90 * 24)] = 7 * 24
    first_share: _Share = 0.4
    last_share: _Share = 0.4
    dedup_window_hours: Hours = 48
    late_days: _Days = 3

    @field_validator("models")
    @classmethod
    def _once_each(cls, models: tuple[Model, ...]) -> tuple[Model, ...]:
        require_a_rule(models)
        return tuple(dict.fromkeys(models))

    @model_validator(mode="after")
    def _shares_leave_something(self) -> Self:
        if self.first_share + self.last_share > 1:
            raise ValueError("first_share and last_share together are more than 1")
        if self.first_share + self.last_share == 0:
            raise ValueError("first_share and last_share are both 0; name one")
        return self

    @model_validator(mode="after")
    def _every_kind_once(self) -> Self:
        if self.kinds is not None:
            named = [kind for equals in self.kinds for kind in equals]
            if sorted(named) != sorted(TouchKind):
                raise ValueError("kinds: name click, engaged_view and impression once each")
        return self
