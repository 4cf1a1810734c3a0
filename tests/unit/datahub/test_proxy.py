"""Which proxy applies: variables in both spellings, and entries of NO_PROXY as curl and Go read them."""

from __future__ import annotations

import pytest

from incident_gate.datahub.connection import DIRECT, proxy_for
from incident_gate.errors import SettingError

PROXY = "http://proxy.example.com:3128"


@pytest.mark.parametrize(
    ("url", "variables", "variable"),
    [
        ("https://datahub", {"HTTPS_PROXY": PROXY}, "HTTPS_PROXY"),
        ("https://datahub", {"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, "https_proxy"),
        ("https://datahub", {"https_proxy": "", "HTTPS_PROXY": PROXY}, "HTTPS_PROXY"),
        ("http://datahub", {"HTTP_PROXY": PROXY, "HTTPS_PROXY": "http://other"}, "HTTP_PROXY"),
        ("https://datahub", {"ALL_PROXY": PROXY}, "ALL_PROXY"),
        ("https://datahub", {"all_proxy": PROXY, "ALL_PROXY": "http://other"}, "all_proxy"),
        ("https://datahub", {"ALL_PROXY": "socks5h://x:1", "HTTPS_PROXY": PROXY}, "HTTPS_PROXY"),
        ("https://datahub", {"HTTPS_PROXY": "proxy.example.com:3128"}, "HTTPS_PROXY"),
    ],
)
def test_first_variable_that_is_set_names_the_proxy(url: str, variables: dict[str, str], variable: str) -> None:
    proxy = proxy_for(url, variables)

    assert (proxy.url, proxy.variable, proxy.notices) == (PROXY, variable, ())


@pytest.mark.parametrize("variables", [{}, {"HTTP_PROXY": PROXY}, {"HTTPS_PROXY": " "}, {"NO_PROXY": "rubbish/x"}])
def test_without_a_variable_the_connection_is_direct(variables: dict[str, str]) -> None:
    assert proxy_for("https://datahub", variables) == DIRECT


@pytest.mark.parametrize(
    ("host", "entry"),
    [
        ("datahub.example.com", "*"),
        ("datahub.example.com", "datahub.example.com"),
        ("datahub.example.com", "example.com"),
        ("datahub.example.com", ".example.com"),
        ("datahub.example.com", "*.example.com"),
        ("example.com", ".example.com"),
        ("datahub.example.com", "EXAMPLE.com"),
        ("DataHub.example.com", "datahub.EXAMPLE.com."),
        ("datahub.example.com.", "example.com"),
        ("datahub.example.com", "datahub.example.com:443"),
        ("datahub.example.com:8443", "example.com:8443"),
        ("datahub", "datahub"),
        ("data_hub", "data_hub"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("10.1.2.3", "10.1.2.99/24"),
        ("10.1.2.3:8080", "10.1.2.3:8080"),
        ("127.0.0.1", "127.0.0.0/8"),
        ("169.254.1.1", "169.254/16"),
        ("[::1]", "::1"),
        ("[::1]", "[::1]"),
        ("[::1]:8080", "[::1]:8080"),
        ("[fd00::5]", "fd00::/8"),
        ("[fd00::5]", "[fd00::]/8"),
        ("[fd00:0:0::5]", "FD00::5"),
        ("[::ffff:10.0.0.1]", "10.0.0.1"),
    ],
)
def test_entry_covers_the_host(host: str, entry: str) -> None:
    proxy = proxy_for(f"https://{host}/api/graphql", {"HTTPS_PROXY": "socks5://x:1", "NO_PROXY": f"localhost, {entry}"})

    assert (proxy.url, proxy.exempt, proxy.notices) == ("", entry, ())


@pytest.mark.parametrize(
    ("host", "entry"),
    [
        ("datahub.example.com", "hub.example.com"),
        ("notexample.com", "example.com"),
        ("notexample.com", ".example.com"),
        ("example.com", "*.example.com"),
        ("example.com.evil.org", "example.com"),
        ("datahub.example.com", "datahub.example.com:8080"),
        ("datahub.example.com", "datahub"),
        ("10.1.2.3", "10.1.2"),
        ("10.1.2.3", "2.3"),
        ("10.1.2.30", "10.1.2.3"),
        ("11.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3:80"),
        ("[::1]", "::2"),
        ("[fe00::5]", "fd00::/8"),
        ("datahub", "10.0.0.0/8"),
        ("10.1.2.3", "fd00::/8"),
        ("localhost", "127.0.0.0/8"),
    ],
)
def test_entry_does_not_cover_the_host(host: str, entry: str) -> None:
    proxy = proxy_for(f"https://{host}/api/graphql", {"HTTPS_PROXY": PROXY, "NO_PROXY": entry})

    assert (proxy.url, proxy.exempt, proxy.notices) == (PROXY, "", ())


@pytest.mark.parametrize(
    "entry",
    [
        "10.0.0.0/33",
        "fd00::/129",
        "10.0.0.0/x",
        "example.com/24",
        "http://example.com",
        "fe80::1%",
        "a:b:c",
        "[::1",
        "%",
    ],
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_entry_that_cannot_be_parsed_is_skipped_and_named(entry: str, name: str) -> None:
    variables = {"HTTPS_PROXY": PROXY, name: f"localhost,{entry} , .example.com"}

    assert proxy_for("https://datahub.example.com", variables).exempt == ".example.com"
    proxy = proxy_for("https://datahub.acme.org", variables)
    assert proxy.url == PROXY
    assert proxy.notices == (f"{name} has entries that cannot be used: {entry}.",)


@pytest.mark.parametrize(
    "value", ["socks5://p:1", "socks5h://ana:hidden@p:1", "socks4://p", "ftp://p", "http://", "http://p:x", "http://[p"]
)
def test_proxy_that_cannot_be_used_is_an_error_where_it_applies(value: str) -> None:
    variables = {"ALL_PROXY": value, "NO_PROXY": "direct.example.com"}

    assert proxy_for("https://direct.example.com", variables).url == ""
    with pytest.raises(SettingError, match="The proxy that ALL_PROXY names cannot be used") as caught:
        proxy_for("https://datahub.example.com", variables)
    assert "hidden" not in f"{caught.value}{caught.value!r}"


def test_credentials_are_secrets_and_not_shown() -> None:
    proxy = proxy_for("http://datahub", {"HTTP_PROXY": "http://ana:pass%20word@proxy:3128"})

    assert proxy.server == "http://proxy:3128"
    assert "pass" not in repr(proxy)
    assert proxy.secrets == ("pass%20word", "pass word", "YW5hOnBhc3Mgd29yZA==")
