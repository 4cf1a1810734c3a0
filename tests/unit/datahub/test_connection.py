"""An address in every form that people copy, and which proxy applies to it."""

import pytest

from incident_gate.datahub.connection import DIRECT, parse_address, proxy_for
from incident_gate.errors import SettingError

PROXY = "http://proxy.example.com:3128"


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("https://acme.acryl.io", "https://acme.acryl.io/api/graphql"),
        ("https://acme.acryl.io/gms/", "https://acme.acryl.io/gms/api/graphql"),
        ("https://acme.acryl.io/api/gms", "https://acme.acryl.io/api/graphql"),
        ("http://datahub-gms:8080", "http://datahub-gms:8080/api/graphql"),
        ("https://acme.acryl.io/gms/api/graphql/", "https://acme.acryl.io/gms/api/graphql"),
        ("https://acme.acryl.io/api/gms/graphql", "https://acme.acryl.io/api/gms/graphql"),
        ("https://acme.acryl.io/api/graphiql", "https://acme.acryl.io/api/graphql"),
        ("https://data.example.com/datahub/gms", "https://data.example.com/datahub/gms/api/graphql"),
        ("  HTTPS://Acme.Acryl.IO:443  ", "https://acme.acryl.io/api/graphql"),
        ("http://[::1]:8080", "http://[::1]:8080/api/graphql"),
    ],
)
def test_every_form_leads_to_the_endpoint(given: str, endpoint: str) -> None:
    assert parse_address(given, setting="datahub-url").graphql_url == endpoint


@pytest.mark.parametrize(
    ("given", "ui"),
    [
        ("https://acme.acryl.io/gms", "https://acme.acryl.io"),
        ("https://acme.acryl.io/api/gms", "https://acme.acryl.io"),
        ("https://data.example.com/datahub/api/graphql", "https://data.example.com/datahub"),
        # A metadata service has no pages.
        ("http://prod-datahub-gms.data:8080", "http://prod-datahub-frontend.data:9002"),
        ("http://localhost:8080", "http://localhost:9002"),
        ("http://[::1]:8080", "http://[::1]:9002"),
        ("http://datahub.example.com:8080", "http://datahub.example.com:8080"),
    ],
)
def test_links_lead_to_the_pages(given: str, ui: str) -> None:
    assert parse_address(given, setting="datahub-url").ui_url == ui
    named = parse_address(given, setting="datahub-url", ui_url="https://data.example.com/ui/")
    assert named.ui_url == "https://data.example.com/ui"


def test_all_forms_of_one_server_have_one_name() -> None:
    forms = ("", "/", "/gms", "/api/gms", "/api/graphql", "/gms/api/graphql", "/api/graphiql")

    names = {parse_address(f"https://Acme.acryl.io{form}", setting="datahub-url").server for form in forms}

    assert names == {"acme.acryl.io"}


@pytest.mark.parametrize(
    ("given", "encrypted", "local"),
    [
        ("https://acme.acryl.io", True, False),
        ("http://datahub-gms:8080", False, False),
        ("http://localhost:8080", False, True),
        ("http://127.0.0.1:8080", False, True),
        ("http://[::1]:8080", False, True),
    ],
)
def test_how_the_token_travels_is_known(given: str, *, encrypted: bool, local: bool) -> None:
    address = parse_address(given, setting="datahub-url")

    assert (address.is_encrypted, address.is_local) == (encrypted, local)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("acme.acryl.io", "datahub-url is not an http(s) URL: 'acme.acryl.io'."),
        ("ftp://acme.acryl.io", "datahub-url is not an http(s) URL: 'ftp://acme.acryl.io'."),
        ("https://", "datahub-url is not an http(s) URL: 'https://'."),
        ("https://acme acryl.io", "datahub-url holds a space or a control character."),
        ("https://acme.acryl.io\\gms", "datahub-url holds a space or a control character."),
        ("https://acme.acryl.io:99999", "datahub-url is not a URL: Port out of range 0-65535."),
        ("https://acme..io", "datahub-url names an impossible host: 'acme..io'."),
        (f"https://{'a' * 64}.io", f"datahub-url names an impossible host: '{'a' * 64}.io'."),
        # What may be a secret is not shown.
        ("https://ana:hidden@acme.acryl.io", "datahub-url carries credentials."),
        ("https://hidden@acme.acryl.io", "datahub-url carries credentials."),
        ("ana:hidden@acme.acryl.io", "datahub-url is not an http(s) URL."),
        ("https://acme.acryl.io/?token=hidden", "datahub-url has a query or a fragment."),
        ("https://acme.acryl.io/#hidden", "datahub-url has a query or a fragment."),
    ],
)
def test_what_is_no_address_is_told(given: str, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse_address(given, setting="datahub-url")

    assert caught.value.message == message
    assert caught.value.hint
    assert "hidden" not in f"{caught.value} {caught.value!r}"


# Proxies: variables in both spellings, and entries of NO_PROXY as curl and Go read them


@pytest.mark.parametrize(
    ("url", "variables", "variable"),
    [
        ("https://datahub", {"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, "https_proxy"),
        ("https://datahub", {"https_proxy": "", "HTTPS_PROXY": PROXY}, "HTTPS_PROXY"),
        ("http://datahub", {"HTTP_PROXY": PROXY, "HTTPS_PROXY": "http://other"}, "HTTP_PROXY"),
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
        ("datahub.example.com", "example.com"),
        ("datahub.example.com", ".example.com"),
        ("datahub.example.com", "*.example.com"),
        ("example.com", ".example.com"),
        ("DataHub.example.com", "datahub.EXAMPLE.com."),
        ("datahub.example.com.", "example.com"),
        ("datahub.example.com", "datahub.example.com:443"),
        ("datahub.example.com:8443", "example.com:8443"),
        ("data_hub", "data_hub"),
        ("10.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.99/24"),
        ("10.1.2.3:8080", "10.1.2.3:8080"),
        ("169.254.1.1", "169.254/16"),
        ("[::1]", "::1"),
        ("[::1]:8080", "[::1]:8080"),
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
        ("example.com", "*.example.com"),
        ("example.com.evil.org", "example.com"),
        ("datahub.example.com", "datahub.example.com:8080"),
        ("10.1.2.3", "2.3"),
        ("10.1.2.30", "10.1.2.3"),
        ("11.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3:80"),
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
    "entry", ["10.0.0.0/33", "10.0.0.0/x", "example.com/24", "http://example.com", "fe80::1%", "[::1", "%"]
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_entry_that_cannot_be_parsed_is_skipped_and_named(entry: str, name: str) -> None:
    variables = {"HTTPS_PROXY": PROXY, name: f"localhost,{entry} , .example.com"}

    assert proxy_for("https://datahub.example.com", variables).exempt == ".example.com"
    proxy = proxy_for("https://datahub.acme.org", variables)
    assert proxy.url == PROXY
    assert proxy.notices == (f"{name} has entries that cannot be used: {entry}.",)


@pytest.mark.parametrize("value", ["socks5h://ana:hidden@p:1", "ftp://p", "http://", "http://p:x", "http://[p"])
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
