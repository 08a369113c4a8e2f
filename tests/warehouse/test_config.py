"""The configuration file: what it takes, and how it complains."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.config import Config, Consent, Method, PrivacyConfig, load_config
from warehouse.errors import ConfigError

NUMBER = "must be a whole number, without quotes, such as 4."
SWITCH = "must be true or false, without quotes."


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "adscribe.toml"


def test_without_a_file_the_defaults_hold() -> None:
    assert load_config(None) == Config()


def test_an_empty_file_is_the_defaults(path: Path) -> None:
    path.write_text("")
    assert load_config(path) == Config()


def test_what_a_file_says_replaces_the_default(path: Path) -> None:
    path.write_text('[attribution]\nclick_window_hours = 5\n[columns.costs]\ncost = "spend"\n')
    config = load_config(path)
    assert config.attribution.click_window_hours == 5
    assert config.attribution.view_window_hours == Config().attribution.view_window_hours
    assert config.columns == {"costs": {"cost": "spend"}}


def test_paths_and_words_are_read_from_text(path: Path) -> None:
    path.write_text("[privacy]\nkey_file = 'key'\nconsent = 'granted'\n")
    assert load_config(path).privacy == PrivacyConfig(key_file=Path("key"), consent=Consent.GRANTED)


def test_a_rule_told_in_part_keeps_the_other_defaults_of_its_kind(path: Path) -> None:
    path.write_text("[identities.email]\nusers = 7\n[identities.click_id]\ndays = 30\n")
    found, default = load_config(path).identities, Config().identities
    assert found.email == default.email.model_copy(update={"users": 7})
    assert found.click_id == default.click_id.model_copy(update={"days": 30})
    assert found.email.per_user == 10
    assert found.click_id.unique
    for kind in (Method.PHONE, Method.DEVICE_ID, Method.COOKIE_ID, Method.EXTERNAL_ID):
        assert found.rule(kind) == default.rule(kind)


@pytest.mark.parametrize("order", [["external_id", "email"], ["email", "external_id", "phone"]])
def test_a_customer_id_may_stand_anywhere_in_the_order(path: Path, order: list[str]) -> None:
    path.write_text(f"[matching]\norder = {order}\n")
    assert load_config(path).matching.order == tuple(order)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[privacy]\nkeyfile = 'x'", 'unknown key "privacy.keyfile": did you mean "key_file"?'),
        ("[privasy]\n", 'unknown key "privasy": did you mean "privacy"?'),
        ('"a\\nb" = 1', 'unknown key "a b": one of: '),
        (
            "warehouse = 1",
            "warehouse: must be a section such as [warehouse] with memory_limit, thr",
        ),
        ("[warehouse]\nthreads = '4'", f"warehouse.threads: {NUMBER}"),
        ("[warehouse]\nthreads = 2.5", f"warehouse.threads: {NUMBER}"),
        ("[warehouse]\nthreads = true", f"warehouse.threads: {NUMBER}"),
        ("[warehouse]\nthreads = 0", "warehouse.threads: must be 1 or more, not 0."),
        ("[warehouse]\nthreads = 1025", "warehouse.threads: must be 1,024 or less, not 1025."),
        (
            f"[warehouse]\nthreads = 0x{'f' * 6000}",
            "1,024 or less, not a number of that many digits",
        ),
        (f"[warehouse]\nthreads = {'9' * 6000}", "not valid TOML"),
        (f"a = {'[' * 5000}", "not valid TOML: lists within lists, too deep."),
        ("[privacy]\nkeep_addresses_days = 2147483647", "must be 36,500 or less, not 2147483647."),
        ("[identities.email]\nusers = 4294967296", "must be 2,000,000,000 or less, not 4294967296"),
        ("[identities.email]\nper_user = 4294967296", "must be 2,000,000,000 or less, not 4294967"),
        ("[identities.email]\ndays = 2147483647", "must be 36,500 or less, not 2147483647."),
        (f"[warehouse]\nmemory_limit = '{'9' * 400}TB'", '99" is no size; write one such as 8GiB.'),
        ("[warehouse]\nmemory_limit = '\uff18GB'", "is no size; write one such as 8GiB."),
        ("[warehouse]\nmemory_limit = '-1GB'", '"-1GB" is no size; write one such as 8GiB.'),
        ("[warehouse]\nmemory_limit = 8", "warehouse.memory_limit: must be text in quotes."),
        ("[warehouse]\nmemory_limit = 'much'", 'warehouse.memory_limit: "much" is no size; write'),
        ("[privacy]\nkey_file = 4", "privacy.key_file: must be the path of a file, in quotes."),
        ("[matching]\norder = ['emial']", 'order: "emial" is not known; did you mean "email"?'),
        ("[matching]\norder = [4]", "matching.order: must be in quotes, one of: click_id, email"),
        ("[matching]\norder = ['email', 'email']", "email stands twice in order; name it once."),
        ("[matching]\norder = []", "matching.order: is empty; name at least 1 of: click_id, email"),
        ("[matching]\norder = 'email'", 'must be a list such as ["click_id", "email"].'),
        ("[privacy]\nconsent = 'denied'", '"denied" is not known; did you mean "not_denied"?'),
        ("[privacy]\nkeep_addresses_days = 0", "privacy.keep_addresses_days: must be 1 or more"),
        ("[identities.emial]\nusers = 1", 'unknown key "identities.emial": did you mean "email"?'),
        ("[identities.email]\nuser = 1", 'unknown key "identities.email.user": did you mean'),
        ("[identities.email]\nusers = 0", "identities.email.users: must be 1 or more, not 0."),
        ("[identities.email]\nusers = '4'", f"identities.email.users: {NUMBER}"),
        ("[identities.email]\nunique = 1", f"identities.email.unique: {SWITCH}"),
        ("[identities.email]\nunique = 'yes'", f"identities.email.unique: {SWITCH}"),
        (
            "[identities]\nemail = 4",
            "identities.email: must be a section such as [identities.email] with days, users, "
            "per_user, unique.",
        ),
        ("identities = 4", "identities: must be sections such as [identities.click_id], [ident"),
        ("[attribution]\nclick_window_hours = -1", "click_window_hours: must be 0 or more, not -1"),
        (
            "[attribution.traffic]\ncreator_click_rate = 0.0",
            "attribution.traffic.creator_click_rate: must be more than 0.0, not 0.0.",
        ),
        (
            "[attribution.advertisers.shoes]\nsurfaces = ['feeds']",
            'shoes.surfaces: "feeds" is not known; did you mean "feed"?',
        ),
        ("[attribution]\nview_window_hours = 9999", "must be 2,160 or less, not 9999."),
        ("[attribution]\nmodels = ['attention']", '"attention" is not known; one of: calibrated_'),
        ("[columns.signal]\nurl = 'x'", 'no such log; did you mean "signals"?'),
        ("[columns.signals]\nulr = 'x'", 'no such column; did you mean "url"?'),
        ("[columns.signals]\nurl = 'x'\ncity = 'x'", "the same source"),
        ("[columns.signals]\nurl = 'source_row'", 'no column can be called "source_row"'),
        ("[columns.signals]\nurl = ''", 'no column can be called ""'),
        (
            "[columns]\nsignals = 'x'",
            "columns.signals: must be a section such as [columns.signals] ",
        ),
        ("columns = 1", "columns: must be a section such as [columns.signals] with lines such as "),
        ("[columns.signals]\nurl = 1", "columns.signals.url: must be text in quotes."),
        ("[warehouse", "not valid TOML"),
        ("a = 1\na = 2", "not valid TOML"),
    ],
)
def test_a_wrong_entry_is_one_line_that_names_it(path: Path, text: str, complaint: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert complaint in message
    assert "\n" not in message
    assert message.endswith((".", "?", ")."))
    assert "Input should" not in message


def test_a_file_that_cannot_be_read_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"# Z\xfcrich")
    for path in (tmp_path, tmp_path / "absent.toml", tmp_path / "latin.toml"):
        with pytest.raises(ConfigError, match=r"Name a readable file|not valid TOML"):
            load_config(path)


@given(name=st.from_regex(r"[a-z_]{1,12}", fullmatch=True))
def test_no_key_is_ignored(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    path = tmp_path_factory.mktemp("config") / "adscribe.toml"
    path.write_text(f"[attribution]\n{name} = 1\n")
    if name in type(Config().attribution).model_fields:
        return
    with pytest.raises(ConfigError, match=rf'unknown key "attribution\.{name}"'):
        load_config(path)
