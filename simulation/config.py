"""Every rate of the simulated world, each with its source."""

from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Surface = Literal["feed", "short_video", "live", "search", "shop"]
SURFACES: tuple[Surface, ...] = ("feed", "short_video", "live", "search", "shop")

SignalField = Literal["ip", "user_agent", "screen", "language", "timezone", "url"]

Share = Annotated[float, Field(ge=0, le=1)]
Above0 = Annotated[float, Field(gt=0)]
AtLeast0 = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
BySurface = dict[Surface, Share]


class WorldConfig(BaseModel):
    """The rates of a world. An unknown key or a value out of range is refused.

    "Assumed" marks a value for which no public figure is used; the reason follows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # --- people and households ---
    # Assumed: with it a third of the signals come from people who are no users of the platform.
    outsiders_per_user: AtLeast0 = 0.68
    # Assumed: most outsiders live elsewhere; the others are the hard negatives of matching.
    outsiders_in_user_households: Share = 0.35
    # Households of 1, 2, ... persons: US Census Bureau, America's Families and Living Arrangements,
    # 2022.
    household_sizes: tuple[Share, ...] = (0.29, 0.35, 0.15, 0.12, 0.06, 0.03)
    # Assumed: about half of the employed work where colleagues share one address.
    office_workers: Share = 0.35
    # Assumed: offices of tens to hundreds; the exponent makes the first offices the large ones.
    people_per_office: Above0 = 50.0
    office_skew: Above0 = 1.5
    # Assumed: log-normal, since app usage is heavy-tailed over users.
    engagement_sigma: Above0 = 0.95

    # --- networks ---
    # Richter et al., IMC 2016, find most cellular networks behind carrier NAT; sharing of hundreds
    # is assumed.
    people_per_carrier_address: Above0 = 400.0
    # Assumed: three large carriers in each country.
    carriers_per_country: Count = 3
    # Padmanabhan et al., IMC 2016: some providers renumber every 24 hours; Germany's are the known
    # case.
    daily_lease_share: Share = 0.04
    daily_lease_share_germany: Share = 0.25
    # Assumed: another part of the homes changes address every few weeks, the rest hardly ever.
    moving_lease_share: Share = 0.30
    moving_lease_days: Above0 = 12.0
    stable_lease_days: Above0 = 150.0
    # Google's IPv6 statistics, 2024: about 45% of users reach it over IPv6; fewer sites and pixels
    # answer on it.
    ipv6_household_share: Share = 0.45
    ipv6_use: Share = 0.50
    # Assumed: where a phone is outside working hours; a computer is at home and a tablet always.
    mobile_network_share: Share = 0.27
    # Assumed: an office worker is in the office on this share of working hours (hybrid work).
    office_presence: Share = 0.60
    # MaxMind's published accuracy of GeoIP2 City: about 80% of US addresses within 50 km; cities
    # here lie farther apart.
    geoip_error: Share = 0.08
    # Assumed: a carrier's gateway often stands in another city than the phone.
    geoip_error_mobile: Share = 0.35
    geoip_error_abroad: Share = 0.005

    # --- devices ---
    # Assumed, near Pew Research Center 2024 and ITU figures for rich countries: a phone for
    # everyone who is seen.
    desktop_share: Share = 0.55
    shared_desktop_share: Share = 0.20
    tablet_household_share: Share = 0.30
    # StatCounter, mobile operating systems, 2024, rounded; within a system the agents follow
    # fake-useragent's shares.
    ios_share: dict[str, Share] = {
        "US": 0.57, "GB": 0.50, "DE": 0.38, "FR": 0.36, "JP": 0.64, "BR": 0.18,
    }  # fmt: skip
    # Assumed: browsers and apps release every four weeks, so about half of the devices upgrade in
    # two.
    upgrade_every_days: Above0 = 28.0
    # Adjust's and AppsFlyer's reports of 2023 and 2024 put the opt-in to Apple's tracking prompt
    # near a third.
    ad_id_opt_in_ios: Share = 0.35
    # Assumed: few delete the Android advertising id.
    ad_id_opt_in_android: Share = 0.88
    # Assumed: devices set to another language than the country's.
    foreign_language_share: Share = 0.07
    # Assumed: cleared cookies; WebKit's tracking prevention caps script cookies at 7 days (2019).
    cookie_life_days: Above0 = 30.0
    # Assumed: where the platform is used (phone app, phone browser, computer, family tablet).
    activity_devices: tuple[Share, Share, Share, Share] = (0.62, 0.08, 0.22, 0.08)

    # --- what the platform knows ---
    # Assumed: heavy use is sampled down to about one observation in two days.
    activity_per_user_day: Above0 = 0.5
    # Assumed: accounts open with either e-mail or phone, some with both, some through another
    # account.
    email_given: Share = 0.65
    phone_given: Share = 0.45
    # Assumed: an account's contacts stand on the rows of signed-in sessions.
    contact_on_activity: Share = 0.92
    cookie_on_activity: Share = 0.92
    device_id_on_activity: Share = 0.97
    # Assumed: one address for the family.
    family_email_share: Share = 0.05

    # --- ads ---
    # Assumed: logged exposures a user and day (a fifth of a real feed's, so that a world fits one
    # machine).
    opportunities_per_user_day: Above0 = 0.50
    holdout_share: Share = 0.10
    ads_per_campaign: Count = 4
    # Assumed: relative volume of an advertiser's four campaigns; the fourth retargets.
    campaign_volumes: tuple[Above0, ...] = (1.5, 1.0, 0.8, 0.5)
    # True conversions per click relative to `click_effect`, campaign after campaign. Assumed, with
    # the finding of Blake, Nosko and Tadelis (Econometrica 2015) in mind: search and retargeting
    # reach those who would buy anyway.
    campaign_effects: tuple[AtLeast0, ...] = (
        1.3, 1.1, 1.4, 1.4,
        1.0, 1.2, 0.8, 0.8,
        0.9, 1.2, 1.0, 1.0,
        1.3, 0.9, 1.0, 0.05,
        1.2, 0.9, 1.3, 0.9,
        1.0, 1.3, 0.3, 1.4,
    )  # fmt: skip
    # How steeply delivery prefers those who intend to buy (exponent on standardised intent).
    # Assumed; Gordon et al. (Marketing Science 2019) show that such selection misleads even rich
    # observational models.
    targeting: dict[Surface, AtLeast0] = {
        "feed": 0.15, "short_video": 0.10, "live": 0.25, "search": 0.45, "shop": 0.40,
    }  # fmt: skip
    retargeting: AtLeast0 = 0.65
    # Search near WordStream's benchmarks (2024: 6.4% on average); the others assumed, above
    # display's because only a sample of weak exposures is logged.
    click_rate: BySurface = {
        "feed": 0.026, "short_video": 0.030, "live": 0.038, "search": 0.062, "shop": 0.055,
    }  # fmt: skip
    engaged_view_rate: BySurface = {
        "feed": 0.12, "short_video": 0.32, "live": 0.30, "search": 0.03, "shop": 0.08,
    }  # fmt: skip
    # Assumed: no ad is clicked by more than this share of those who see it.
    most_clicks: Share = 0.6
    # Assumed: seconds from the impression to a view or click, at least, and the mean beyond that.
    view_seconds: AtLeast0 = 6.0
    click_seconds: AtLeast0 = 8.0
    follow_seconds: Above0 = 12.0
    # Assumed: intent raises clicks and views as well.
    click_intent: AtLeast0 = 0.45
    view_intent: AtLeast0 = 0.15

    # --- causes ---
    # Assumed: tuned so that about a quarter of the users' conversions are caused by ads.
    click_effect: AtLeast0 = 0.142
    engaged_view_effect: AtLeast0 = 0.0060
    impression_effect: AtLeast0 = 0.0020
    effect_intent: AtLeast0 = 0.25
    # Assumed: effects fade with this half-life; a share of the clicks that convert do so in the
    # same visit.
    effect_half_life_days: Above0 = 1.3
    same_visit_share: Share = 0.45
    same_visit_share_view: Share = 0.10
    visit_minutes: Above0 = 9.0
    # Assumed: shopping episodes a person and day over all advertisers, and the share that end in a
    # conversion.
    episodes_per_person_day: Above0 = 0.051
    episode_conversion: Share = 0.33
    # Assumed: how strongly standing intent raises episodes; a part of it is common to all
    # advertisers.
    intent_slope: AtLeast0 = 0.75
    intent_common: Share = 0.35
    # Assumed: ads that an episode draws (search, shop, retargeting), and how much more they are
    # clicked.
    episode_opportunities: AtLeast0 = 0.35
    episode_click_lift: Above0 = 1.5
    episode_hours: Above0 = 14.0

    # --- money ---
    # Assumed: one currency an advertiser, its median order in that currency, the spread of its
    # orders.
    currencies: tuple[str, ...] = ("USD", "USD", "EUR", "GBP", "JPY", "BRL")
    median_values: tuple[Above0, ...] = (42.0, 85.0, 38.0, 30.0, 5200.0, 160.0)
    value_sigma: Above0 = 0.8
    # Assumed: a first subscription payment is small beside an order.
    subscription_value: Above0 = 0.4
    # European Central Bank reference rates of 2024, rounded: units for one US dollar.
    exchange: dict[str, Above0] = {"USD": 1.0, "EUR": 0.92, "GBP": 0.78, "JPY": 151.0, "BRL": 5.4}
    # Assumed: US dollars for a thousand impressions, or for one click where search and shop bill
    # clicks.
    cost_per_thousand: dict[Surface, AtLeast0] = {
        "feed": 7.5, "short_video": 6.0, "live": 9.0, "search": 0.0, "shop": 0.0,
    }  # fmt: skip
    cost_per_click: dict[Surface, AtLeast0] = {
        "feed": 0.0, "short_video": 0.0, "live": 0.0, "search": 0.9, "shop": 0.6,
    }  # fmt: skip
    # Assumed: prices of an auction vary around the campaign's.
    price_sigma: AtLeast0 = 0.3
    # Assumed: invoices differ from logged costs by about one percent.
    billing_difference: Share = 0.01

    # --- signals ---
    # Assumed: where a conversion happens (phone app, phone browser, computer, family tablet).
    signal_devices: tuple[Share, Share, Share, Share] = (0.16, 0.46, 0.33, 0.05)
    # Assumed: phone page views inside the platform's own browser, after a click of its ads and
    # otherwise.
    webview_after_click: Share = 0.60
    server_only_share: Share = 0.10
    offline_share: Share = 0.03
    # Assumed: events of the web (purchase, complete_registration, subscribe) and of apps (and
    # install).
    web_events: tuple[Share, Share, Share] = (0.78, 0.14, 0.08)
    app_events: tuple[Share, Share, Share, Share] = (0.45, 0.15, 0.05, 0.35)
    order_id_share: Share = 0.93
    # Assumed: with the platform's shares above, about 13% of the signals carry a known e-mail and
    # 5% a known phone.
    email_share: Share = 0.385
    phone_share_with_email: Share = 0.51
    phone_share_alone: Share = 0.01
    email_other_share: Share = 0.15
    phone_other_share: Share = 0.06
    junk_email_share: Share = 0.006
    # Assumed: hashed before sending; a few hash without normalising first.
    hashed_share: Share = 0.55
    hashed_raw_share: Share = 0.02
    messy_share: Share = 0.35
    # Assumed: third-party cookies live on in Chrome and Edge for those who allow them, hardly in
    # Safari and Firefox.
    cookie_share: Share = 0.40
    cookie_share_safari: Share = 0.06
    device_id_share: Share = 0.90
    junk_device_id_share: Share = 0.25
    # Assumed: a landing page's click id lost by redirects, cleaned URLs and expired cookies.
    click_id_same_day: Share = 0.58
    click_id_later: Share = 0.34
    customer_share: Share = 0.30
    # Consent banners of the European Economic Area and Britain: Utz et al. (CCS 2019) see refusals
    # vary widely; assumed.
    consent_denied_europe: Share = 0.17
    consent_denied_elsewhere: Share = 0.04
    consent_missing: Share = 0.15
    # Assumed: pixel and server both send browser orders; most copies keep the click id; senders
    # retry.
    twin_share: Share = 0.22
    twin_keeps_click_id: Share = 0.80
    resend_share: Share = 0.012
    # Assumed: seconds from a pixel's event to its server twin, and days that a click id is kept.
    twin_seconds: Above0 = 40.0
    click_id_days: Above0 = 7.0
    # Assumed: delays of seconds (mean), of hours (mean, batches) and of one to three days.
    delay_seconds: Above0 = 15.0
    late_hours: Above0 = 3.0
    late_days: tuple[AtLeast0, AtLeast0] = (1.0, 3.0)
    hours_late_share: Share = 0.07
    days_late_share: Share = 0.015
    touch_late_share: Share = 0.005
    # NRF counts 14.5% of US retail sales returned in 2023; assumed that advertisers report a fifth
    # of them.
    retraction_share: Share = 0.03
    restatement_share: Share = 0.02
    # Assumed: first and last day after the purchase, and the least and largest new value, relative.
    retraction_days: tuple[AtLeast0, AtLeast0] = (0.5, 7.0)
    restatement_days: tuple[AtLeast0, AtLeast0] = (0.05, 4.0)
    restatement_values: tuple[AtLeast0, AtLeast0] = (0.5, 1.2)
    # Rows with each field by travel: pixel, webview, app, server, offline. Assumed: a pixel sees
    # the browser, a server passes on what its developers thought of.
    filled: dict[SignalField, tuple[Share, Share, Share, Share, Share]] = {
        "ip": (0.99, 0.99, 0.98, 0.88, 0.0),
        "user_agent": (0.99, 0.99, 0.95, 0.82, 0.0),
        "screen": (0.92, 0.92, 0.85, 0.10, 0.0),
        "language": (0.95, 0.95, 0.90, 0.25, 0.0),
        "timezone": (0.70, 0.70, 0.85, 0.05, 0.0),
        "url": (0.97, 0.97, 0.0, 0.80, 0.0),
    }
    # Assumed: pages whose address still shows the click id, and those with junk parameters.
    url_click_id_share: Share = 0.80
    url_junk_share: Share = 0.12

    # --- invalid traffic ---
    # Assumed: far below Imperva's third of all web traffic (2024), for these bots hold accounts of
    # the platform.
    bot_share: Share = 0.003
    bot_activity_factor: Above0 = 5.0
    bot_exposure_factor: Above0 = 8.0
    bot_click_rate: Share = 0.45
    bots_per_address: Above0 = 6.0
    # Assumed: creators paid by the click who log clicks that nobody made.
    flooding_creators: Count = 3
    flood_clicks_per_user_day: AtLeast0 = 0.003

    @model_validator(mode="after")
    def _check_tables(self) -> Self:
        advertisers = len(self.currencies)
        if advertisers != len(self.median_values):
            raise ValueError("median_values: one value for each of currencies is needed")
        if advertisers * len(self.campaign_volumes) != len(self.campaign_effects):
            raise ValueError(
                "campaign_effects: one value for each advertiser and campaign is needed"
            )
        unknown = sorted(set(self.currencies) - set(self.exchange))
        if unknown:
            raise ValueError(f"exchange: a rate for {', '.join(unknown)} is needed")
        for name in (
            "household_sizes", "activity_devices", "signal_devices", "web_events", "app_events",
        ):  # fmt: skip
            if not 0.999 < sum(getattr(self, name)) < 1.001:
                raise ValueError(f"{name}: the shares must sum to 1")
        for name in (
            "targeting", "click_rate", "engaged_view_rate", "cost_per_thousand", "cost_per_click",
        ):  # fmt: skip
            if set(getattr(self, name)) != set(SURFACES):
                raise ValueError(f"{name}: one value for each of {', '.join(SURFACES)} is needed")
        if set(self.filled) != set(get_args(SignalField)):
            raise ValueError(
                f"filled: one row for each of {', '.join(get_args(SignalField))} is needed"
            )
        return self
