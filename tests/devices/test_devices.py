"""Laws of parse_user_agents: what is named, what stays, and what is a bot."""

import crawleruseragents
import polars as pl
import pytest
import ua_parser
from fake_useragent.utils import load
from hypothesis import given
from hypothesis import strategies as st

from warehouse import devices
from warehouse.devices import IN_APP, parse_user_agents

KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS {v}_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko)"
)
SAMSUNG = "Mozilla/5.0 (Linux; Android {v}; SM-S918B Build/AB{w}.{v}; wv) " + KIT
DRIFTING = {
    "Android||Chrome Mobile": f"Mozilla/5.0 (Linux; Android 10; K) {KIT} Chrome/{{w}}.0.{{v}}.0 "
    "Mobile Safari/537.36",
    "Windows||Firefox": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{w}.0) Gecko/20100101 "
    "Firefox/{w}.0",
    "Windows||Edge": f"Mozilla/5.0 (Windows NT 10.0) {KIT} Chrome/{{w}}.0.0.0 Safari/537.36 "
    "Edg/{w}.0.{v}.0",
    "Mac OS X|Mac|Safari": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/{v}.1 Safari/605.1.15",
    "iOS|iPhone|Mobile Safari": f"{PHONE} Version/{{v}}.0 Mobile/15E148 Safari/604.1",
    "iOS|iPhone|Chrome Mobile iOS": f"{PHONE} CriOS/{{w}}.0.1 Mobile/15E148 Safari/604.1",
    f"iOS|iPhone|{IN_APP}": f"{PHONE} Mobile/15E148 musical_ly_{{v}}.7.0 BytedanceWebview/d8a21c6",
    f"Android|SM-S918B|{IN_APP}": f"{SAMSUNG} Version/4.0 Chrome/{{w}}.0.0.0 Mobile Safari/537.36",
    "Android|SM-S918B|Samsung Internet": "Mozilla/5.0 (Linux; Android {v}; SM-S918B) "
    f"{KIT} SamsungBrowser/{{v}}.0 Chrome/{{w}}.0.0.0 Mobile Safari/537.36",
}


def _parse_one(text: str | None) -> dict[str, object]:
    return parse_user_agents(pl.Series([text], dtype=pl.String)).row(0, named=True)


def test_browser_system_and_device_are_named_with_their_major_versions():
    agent = DRIFTING["Android|SM-S918B|Samsung Internet"].format(v=13, w=115)

    assert _parse_one(agent) == {
        "browser": "Samsung Internet",
        "browser_major": "13",
        "os": "Android",
        "os_major": "13",
        "device": "Samsung SM-S918B",
        "brand": "Samsung",
        "model": "SM-S918B",
        "is_in_app": False,
        "device_key": "Android|SM-S918B|Samsung Internet",
        "is_bot": False,
    }


@given(st.sampled_from(sorted(DRIFTING)), st.integers(11, 30), st.integers(90, 199), st.data())
def test_versions_that_drift_leave_the_device_key(key, major, browser, data):
    later = {"v": data.draw(st.integers(major, 30)), "w": data.draw(st.integers(browser, 199))}
    agents = [DRIFTING[key].format(v=major, w=browser), DRIFTING[key].format(**later)]

    found = parse_user_agents(pl.Series(agents))

    assert found["device_key"].to_list() == [key, key]
    assert found["is_bot"].to_list() == [False, False]


@pytest.mark.parametrize(
    "app",
    [
        "[FB_IAB/FB4A;FBAV/442.0.0.44.114;]",
        "Instagram 300.0.0.29.110 Android",
        "musical_ly_2023107030 JsSdk/1.0 AppName/musical_ly BytedanceWebview/d8a21c6",
        "Snapchat/12.60",
        "",
    ],
)
def test_web_views_of_all_apps_on_a_phone_have_one_key(app):
    agent = SAMSUNG.format(v=13, w=1) + f" Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36 {app}"

    assert _parse_one(agent)["device_key"] == f"Android|SM-S918B|{IN_APP}"
    assert _parse_one(agent)["is_in_app"] is True


def test_models_and_browsers_tell_devices_apart():
    agent = (
        "Mozilla/5.0 (Linux; Android 13; {}) " + KIT + " {}Chrome/120.0.0.0 Mobile Safari/537.36"
    )
    models = ["SM-S918B", "SM-S911B", "Pixel 7"]
    agents = [
        agent.format(model, name) for model in models for name in ("", "SamsungBrowser/23.0 ")
    ]

    assert parse_user_agents(pl.Series(agents))["device_key"].n_unique() == 6


def test_model_that_the_browser_hides_is_null():
    found = _parse_one(DRIFTING["Android||Chrome Mobile"].format(v=1, w=120))

    assert found["model"] is None
    assert found["os"] == "Android"


def test_names_are_those_of_ua_parser():
    agents = pl.Series(sorted({entry["useragent"] for entry in load()})[::8])

    found = parse_user_agents(agents)

    for agent, row in zip(agents, found.iter_rows(named=True), strict=True):
        oracle = ua_parser.parse(agent)
        assert row["browser"] == (oracle.user_agent and oracle.user_agent.family)
        assert row["browser_major"] == (oracle.user_agent and oracle.user_agent.major)
        assert row["os"] == (oracle.os and oracle.os.family)
        assert row["os_major"] == (oracle.os and oracle.os.major)
        assert row["device"] == (oracle.device and oracle.device.family)


def test_every_known_crawler_is_a_bot_and_no_browser_is():
    crawlers = [
        agent
        for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA
        for agent in entry["instances"]
    ]
    browsers = sorted({entry["useragent"] for entry in load()})

    assert len(crawlers) > 2000
    assert parse_user_agents(pl.Series(crawlers))["is_bot"].all()
    assert not parse_user_agents(pl.Series(browsers))["is_bot"].any()


@given(st.lists(st.text(max_size=30), max_size=5))
def test_bot_flag_is_that_of_the_package(texts):
    kept = [text.strip() for text in texts if text.strip()]

    found = parse_user_agents(pl.Series(kept, dtype=pl.String))

    assert found["is_bot"].to_list() == [crawleruseragents.is_crawler(text) for text in kept]


@pytest.mark.parametrize("text", [None, "", "  "])
def test_null_and_blank_have_only_nulls(text):
    assert set(_parse_one(text).values()) == {None}


def test_unknown_client_has_no_key_and_is_no_bot():
    found = _parse_one("-")

    assert found["device_key"] is None
    assert found["is_bot"] is False


def test_types_do_not_depend_on_the_rows():
    full = parse_user_agents(pl.Series([SAMSUNG.format(v=13, w=1)])).schema

    assert parse_user_agents(pl.Series([], dtype=pl.String)).schema == full
    assert parse_user_agents(pl.Series([None])).schema == full


def test_each_distinct_text_is_parsed_once(monkeypatch):
    seen = []
    extract = devices._extract

    def count(texts):
        seen.extend(texts)
        return extract(texts)

    monkeypatch.setattr(devices, "_extract", count)
    agents = ["curl/8.0", "Wget/1.2", "curl/8.0", None, " curl/8.0 ", "Wget/1.2"]

    found = parse_user_agents(pl.Series(agents))

    assert seen == ["curl/8.0", "Wget/1.2"]
    assert found["browser"].to_list() == ["curl", "Wget", "curl", None, "curl", "Wget"]
