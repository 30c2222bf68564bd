"""Settings: file < environment < flags, and every mistake named by its key."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk import config
from hauberk.config import Settings, host_name, load, split_address, upstream_url
from hauberk.errors import ConfigurationError


def write(folder: Path, text: str) -> Path:
    file = folder / "hauberk.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("sample_rate = 1.5", "traffic.sample_rate: Input should be less than or equal to 1"),
        ("max_per_second = -1", "traffic.max_per_second"),
        ('bodies = "all"', "traffic.bodies: Input should be 'none' or 'json'"),
        ('store = ""', "traffic.store: must be a folder, or a URL"),
        ("keep_days = 0", "traffic.keep_days"),
        ("keepdays = 1", "did you mean 'keep_days'"),
        ("max_bytes = 10", "traffic.max_bytes"),
    ],
)
def test_settings_of_traffic_are_checked(tmp_path: Path, setting: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        load(write(tmp_path, f"[traffic]\n{setting}\n"), {})


def test_the_traffic_store_is_a_folder_beside_the_file_or_a_url(tmp_path: Path) -> None:
    assert load(write(tmp_path, ""), {}).traffic_store == str(tmp_path / "state" / "traffic")
    for text, store in [("kept", str(tmp_path / "kept")), ("/var/kept", "/var/kept"), ("s3://bucket/x", "s3://bucket/x")]:
        assert load(write(tmp_path, f'[traffic]\nstore = "{text}"\n'), {}).traffic_store == store


def test_the_file_of_the_readme_is_understood(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        state_dir = "./state"
        [control_plane]
        listen = "127.0.0.1:8080"
        [gateway]
        https = ["0.0.0.0:8443"]
        http = []
        threads = 0
        [[zones]]
        name = "example.com"
        [[zones.hosts]]
        name = "api.example.com"
        upstreams = ["http://127.0.0.1:9000"]
        certificate = "server.pem"
        private_key = "server.key"
        """,
    )
    settings = load(file, {})
    host = settings.zones[0].hosts[0]
    assert settings.state_dir == tmp_path / "state"
    assert host.certificate == tmp_path / "server.pem"
    assert host.upstreams == ["http://127.0.0.1:9000"]
    assert settings.database_url == f"sqlite:///{tmp_path / 'state' / 'hauberk.db'}"
    assert settings.control_plane_url == "http://127.0.0.1:8080"


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "[gateway]\nthreads = 1\npoll_seconds = 1.0\n[limits]\nmax_body_bytes = 10\n")
    environment = {"HAUBERK_GATEWAY__THREADS": "2", "HAUBERK_GATEWAY__POLL_SECONDS": "2.5", "OTHER": "x"}
    settings = load(file, environment, {"gateway.threads": 3, "gateway.grace_seconds": None})
    assert (settings.gateway.threads, settings.gateway.poll_seconds, settings.limits.max_body_bytes) == (3, 2.5, 10)
    assert settings.gateway.grace_seconds == Settings().gateway.grace_seconds


def test_lists_come_from_the_environment_as_json() -> None:
    assert load(None, {"HAUBERK_GATEWAY__HTTPS": '["127.0.0.1:1443"]'}).gateway.https == ["127.0.0.1:1443"]


def test_the_passphrase_is_no_setting() -> None:
    settings = load(None, {config.PASSPHRASE_VARIABLE: "correct horse"})
    assert "correct horse" not in repr(settings)


BAD_FILES = [
    ("state_dir = ", ["not valid TOML"]),
    ("[control_plane]\nlistne = '127.0.0.1:8080'", ["control_plane.listne", "unknown key", "'listen'"]),
    ("[gatway]\nthreads = 1", ["gatway", "unknown key", "'gateway'"]),
    ("[gateway]\nthreads = -1", ["gateway.threads", "greater than or equal to 0"]),
    ("[gateway]\nthreads = 'many'", ["gateway.threads"]),
    ("[gateway]\nhttps = ['0.0.0.0:84430']", ["gateway.https[0]", "IP address and a port"]),
    ("[gateway]\nhttps = []", ["no listener is left"]),
    ("[control_plane]\nlisten = 'localhost'", ["control_plane.listen", "127.0.0.1:8080"]),
    ("[control_plane]\ncertificate = 'a.pem'", ["control_plane", "private_key", "missing"]),
    ("[limits]\noversize_body = 'drop'", ["limits.oversize_body", "'reject' or 'pass'"]),
    ("[[zones]]\nname = 'exa mple.com'", ["zones[0].name", "host name"]),
    (
        "[[zones]]\nname = 'example.com'\n[[zones.hosts]]\nname = 'api.example.org'\nupstreams=['http://a']",
        ["zones[0].hosts[0].name", "not at or below"],
    ),
    ("[[zones]]\nname = 'example.com'\n[[zones.hosts]]\nname = 'api.example.com'\nupstream=['http://a']", ["upstream", "'upstreams'"]),
    ("[[zones]]\nname = 'example.com'\n[[zones.hosts]]\nname = 'api.example.com'\nupstreams=['ftp://a']", ["upstreams[0]", "http://HOST"]),
    ("[[zones]]\nname = 'example.com'\n[[zones.hosts]]\nname = 'api.example.com'\nupstreams=[]", ["upstreams", "at least 1"]),
    (
        "[[zones]]\nname = 'example.com'\n[[zones.hosts]]\nname = 'example.com'\nupstreams=['http://a']\ncertificate='x'",
        ["certificate and private_key"],
    ),
    ("[[zones]]\nname = 'example.com'\n[[zones]]\nname = 'EXAMPLE.com'", ["zones[1].name", "twice"]),
]


@pytest.mark.parametrize(("text", "told"), BAD_FILES, ids=[text[:40].replace("\n", " ") for text, _ in BAD_FILES])
def test_a_mistake_is_told_with_its_key(tmp_path: Path, text: str, told: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(write(tmp_path, text), {})
    for part in [*told, "hauberk.toml"]:
        assert part in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(write(tmp_path, "[gateway]\nthreads = -1\nhttps = ['x']\n[limits]\nmax_header_count = 1"), {})
    assert all(key in str(caught.value) for key in ("gateway.threads", "gateway.https[0]", "limits.max_header_count"))


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="hauberk init"):
        load(tmp_path / "none.toml", {})


def test_an_unknown_variable_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"gateway\.thread: unknown key; did you mean 'threads'"):
        load(None, {"HAUBERK_GATEWAY__THREAD": "2"})


@pytest.mark.parametrize(
    "address", ["", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "a.example:80", "[::1", "127.0.0.1:٣"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="IP address and a port"):
        split_address(address)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("http://127.0.0.1:9000", True),
        ("https://origin.internal", True),
        ("http://[::1]:9000/", True),
        ("http://a/path", False),
        ("http://a?x=1", False),
        ("http://user@a", False),
        ("http://a:0", False),
        ("http://a:99999", False),
        ("a:9000", False),
        ("http://", False),
        ("http://a b:80", False),
        ("http://a\nb", False),
        ("http://@a", False),
        ("http://a:80?", False),
        ("http://a#", False),
        ("http://a|b", False),
        ("http://mü.example", False),
        ("http://1.2.3.4:80\t", False),
        ("http://[1.2.3.4]", False),
        ("HTTP://a", False),
    ],
)
def test_upstreams_are_origins_without_a_path(url: str, good: bool) -> None:
    if good:
        assert upstream_url(url) == url.rstrip("/")
    else:
        with pytest.raises(ValueError, match="http://HOST"):
            upstream_url(url)


@given(st.text(max_size=300))
def test_any_text_is_a_host_name_or_refused(text: str) -> None:
    try:
        name = host_name(text)
    except ValueError:
        return
    assert host_name(name) == name
    assert name.isascii()
    assert name == name.lower()


@pytest.mark.parametrize("proxy", ["10.0.0.7", "10.0.0.0/24", "::1", "2001:db8::/32"])
def test_proxies_are_addresses_or_networks(tmp_path: Path, proxy: str) -> None:
    settings = load(write(tmp_path, f'[control_plane]\ntrusted_proxies = ["{proxy}"]\n'), {})
    assert settings.control_plane.trusted_proxies[0].startswith(proxy)


@pytest.mark.parametrize("proxy", ["*", "proxy.example.com", "10.0.0.7/24", ""])
def test_any_host_is_no_proxy(tmp_path: Path, proxy: str) -> None:
    with pytest.raises(ConfigurationError, match=r"control_plane\.trusted_proxies\[0\]: must be an IP address or a network"):
        load(write(tmp_path, f'[control_plane]\ntrusted_proxies = ["{proxy}"]\n'), {})


@pytest.mark.parametrize("setting", ["session_idle_hours = 0", "session_days = -1", "session_days = 1000"])
def test_sessions_last_a_while_and_not_for_ever(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ConfigurationError, match=r"dashboard\.session_"):
        load(write(tmp_path, f"[dashboard]\n{setting}\n"), {})
