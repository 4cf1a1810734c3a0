import pytest

from incident_gate.datahub.connection import parse_address
from incident_gate.errors import SettingError


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("https://acme.acryl.io", "https://acme.acryl.io/api/graphql"),
        ("https://acme.acryl.io/", "https://acme.acryl.io/api/graphql"),
        ("https://acme.acryl.io/gms", "https://acme.acryl.io/gms/api/graphql"),
        ("https://acme.acryl.io/gms/", "https://acme.acryl.io/gms/api/graphql"),
        ("https://acme.acryl.io/api/gms", "https://acme.acryl.io/api/graphql"),
        ("http://datahub-gms:8080", "http://datahub-gms:8080/api/graphql"),
        ("http://datahub-frontend:9002", "http://datahub-frontend:9002/api/graphql"),
        ("https://acme.acryl.io/api/graphql", "https://acme.acryl.io/api/graphql"),
        ("https://acme.acryl.io/gms/api/graphql/", "https://acme.acryl.io/gms/api/graphql"),
        ("https://acme.acryl.io/api/gms/graphql", "https://acme.acryl.io/api/gms/graphql"),
        ("https://acme.acryl.io/api/graphiql", "https://acme.acryl.io/api/graphql"),
        ("https://data.example.com/datahub", "https://data.example.com/datahub/api/graphql"),
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
        ("https://acme.acryl.io/api/graphql", "https://acme.acryl.io"),
        ("https://data.example.com/datahub/api/graphql", "https://data.example.com/datahub"),
        ("http://datahub-frontend:9002", "http://datahub-frontend:9002"),
        # A metadata service has no pages.
        ("http://datahub-gms:8080", "http://datahub-frontend:9002"),
        ("http://prod-datahub-gms.data:8080", "http://prod-datahub-frontend.data:9002"),
        ("http://localhost:8080", "http://localhost:9002"),
        ("http://[::1]:8080", "http://[::1]:9002"),
        ("http://datahub.example.com:8080", "http://datahub.example.com:8080"),
    ],
)
def test_links_lead_to_the_pages(given: str, ui: str) -> None:
    assert parse_address(given, setting="datahub-url").ui_url == ui


def test_links_lead_where_the_user_says() -> None:
    address = parse_address("http://gms:8080", setting="datahub-url", ui_url="https://data.example.com/ui/")

    assert address.ui_url == "https://data.example.com/ui"


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
        ("localhost:8080", "datahub-url is not an http(s) URL: 'localhost:8080'."),
        ("ftp://acme.acryl.io", "datahub-url is not an http(s) URL: 'ftp://acme.acryl.io'."),
        ("https://", "datahub-url is not an http(s) URL: 'https://'."),
        ("https://acme acryl.io", "datahub-url holds a space or a control character."),
        ("https://acme.acryl.io\\gms", "datahub-url holds a space or a control character."),
        ("https://acme.acryl.io:99999", "datahub-url is not a URL: Port out of range 0-65535."),
        ("https://acme.acryl.io/?x=1", "datahub-url has a query or a fragment."),
        ("https://acme.acryl.io/#/dataset", "datahub-url has a query or a fragment."),
        ("https://acme..io", "datahub-url names an impossible host: 'acme..io'."),
        (f"https://{'a' * 64}.io", f"datahub-url names an impossible host: '{'a' * 64}.io'."),
    ],
)
def test_what_is_no_address_is_told(given: str, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse_address(given, setting="datahub-url")

    assert caught.value.message == message
    assert caught.value.hint


@pytest.mark.parametrize(
    "given",
    [
        "https://ana:hidden@acme.acryl.io",
        "https://hidden@acme.acryl.io",
        "ana:hidden@acme.acryl.io",
        "//ana:hidden@acme.acryl.io",
        "https://acme.acryl.io/?token=hidden",
        "https://acme.acryl.io/#hidden",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_shown(given: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse_address(given, setting="datahub-url")

    assert "hidden" not in f"{caught.value} {caught.value!r}"
