"""Where address and token come from, in which order, and which token goes to which address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from incident_gate.errors import SettingError
from incident_gate.settings.model import RunSettings
from incident_gate.settings.read import read_settings, secrets_of

URL = "https://datahub.example.com"
TOKEN = "secret-token-1"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder without a configuration."""
    return tmp_path


def configure(home: Path, text: str) -> None:
    (home / ".datahubenv").write_text(text, encoding="utf-8")


def settings(environment: dict[str, str], *, command_line: bool = True, **options: Any) -> RunSettings:
    given = {name.replace("_", "-"): value for name, value in options.items()}
    return read_settings(lambda name: given.get(name, ""), environment, command_line=command_line)


def error(environment: dict[str, str], **options: Any) -> str:
    with pytest.raises(SettingError) as caught:
        settings(environment, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("variables", "server", "setting"),
    [
        ({"URL": URL}, "datahub.example.com", "DATAHUB_GMS_URL"),
        ({"HOST": "datahub-gms", "PORT": "8080"}, "datahub-gms:8080", "DATAHUB_GMS_HOST"),
        ({"HOST": "datahub-gms:8080"}, "datahub-gms:8080", "DATAHUB_GMS_HOST"),
        ({"HOST": "datahub", "PROTOCOL": "https"}, "datahub", "DATAHUB_GMS_HOST"),
        ({"HOST": "datahub", "PROTOCOL": "HTTPS", "PORT": "8443"}, "datahub:8443", "DATAHUB_GMS_HOST"),
        ({"HOST": f"{URL}/gms"}, "datahub.example.com", "DATAHUB_GMS_HOST"),
        ({"HOST": "http://datahub-gms", "PORT": "8080", "PROTOCOL": "https"}, "datahub-gms:8080", "DATAHUB_GMS_HOST"),
        ({"HOST": "http://datahub-gms:9000", "PORT": "8080"}, "datahub-gms:9000", "DATAHUB_GMS_HOST"),
        # As Kubernetes sets it beside a service of this name.
        ({"HOST": "datahub-gms", "PORT": "tcp://10.0.0.1:8080"}, "datahub-gms:8080", "DATAHUB_GMS_HOST"),
        ({"HOST": "::1", "PORT": "8080"}, "[::1]:8080", "DATAHUB_GMS_HOST"),
        ({"HOST": "[::1]", "PORT": "8080"}, "[::1]:8080", "DATAHUB_GMS_HOST"),
        ({"URL": URL, "PORT": "tcp://10.0.0.1:8080"}, "datahub.example.com", "DATAHUB_GMS_URL"),
    ],
)
def test_address_comes_from_the_variables_of_datahubs_tools(
    variables: dict[str, str], server: str, setting: str
) -> None:
    address = settings({f"DATAHUB_GMS_{name}": value for name, value in variables.items()}).connection.address

    assert (address.server, address.setting) == (server, setting)
    assert address.is_encrypted == ("https" in "".join(variables.values()).lower() and variables.get("PORT") != "8080")


def test_option_comes_before_the_variables() -> None:
    environment = {"DATAHUB_GMS_URL": URL, "DATAHUB_GMS_HOST": "other", "DATAHUB_GMS_TOKEN": TOKEN}

    made = settings(environment, datahub_url="https://mine.example.com", datahub_token="another-token")

    assert (made.connection.address.server, made.connection.address.setting) == ("mine.example.com", "--datahub-url")
    assert (made.connection.token, made.connection.token_setting) == ("another-token", "--datahub-token")
    assert made.warnings == ()


def test_url_and_host_that_disagree_are_reported() -> None:
    made = settings({"DATAHUB_GMS_URL": f"{URL}/gms", "DATAHUB_GMS_HOST": "datahub-gms", "DATAHUB_GMS_PORT": "8080"})

    assert made.connection.address.server == "datahub.example.com"
    [warning] = made.warnings
    assert warning == (
        "DATAHUB_GMS_URL and DATAHUB_GMS_HOST name different servers: DATAHUB_GMS_URL is used "
        "(https://datahub.example.com:443), not DATAHUB_GMS_HOST (http://datahub-gms:8080). Unset one of them."
    )


@pytest.mark.parametrize("host", [URL, f"{URL}:443/gms", "HTTPS://DataHub.example.com"])
def test_url_and_host_that_agree_are_not_reported(host: str) -> None:
    assert settings({"DATAHUB_GMS_URL": URL, "DATAHUB_GMS_HOST": host}).warnings == ()


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"HOST": "datahub", "PORT": "x"}, "DATAHUB_GMS_PORT is 'x'."),
        ({"HOST": "datahub", "PROTOCOL": "ftp"}, "The protocol in DATAHUB_GMS_PROTOCOL is 'ftp'."),
        ({"HOST": "ftp://datahub"}, "The protocol in DATAHUB_GMS_HOST is 'ftp'."),
        ({"HOST": "data hub"}, "DATAHUB_GMS_HOST holds a space or a control character."),
        ({"URL": "datahub.example.com"}, "DATAHUB_GMS_URL is not an http(s) URL: 'datahub.example.com'."),
        ({}, "No DataHub URL: set --datahub-url or DATAHUB_GMS_URL."),
    ],
)
def test_error_names_the_variable(variables: dict[str, str], message: str) -> None:
    assert message in error({f"DATAHUB_GMS_{name}": value for name, value in variables.items()})


# Tokens in files


def test_token_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    environment = {"DATAHUB_GMS_URL": URL, "DATAHUB_AUTH_TOKEN_FILE": str(file)}

    for command_line in (True, False):
        connection = settings(environment, command_line=command_line).connection
        assert (connection.token, connection.token_setting) == (TOKEN, "DATAHUB_AUTH_TOKEN_FILE")
    assert secrets_of(lambda _: "", environment) == (TOKEN,)
    assert settings(environment | {"DATAHUB_GMS_TOKEN": "from-variable"}).connection.token == "from-variable"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist."),
        (b"", "is empty."),
        (b"\n", "is empty."),
        (b"\xff\xfe", "is not a text file."),
        (b"a b", "DATAHUB_AUTH_TOKEN_FILE has a character that no token has"),
        (b"x" * 70_000, "has 68.4 KiB, more than the limit of 64 KiB."),
    ],
)
def test_token_file_that_is_wrong_is_an_error(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    environment = {"DATAHUB_GMS_URL": URL, "DATAHUB_AUTH_TOKEN_FILE": str(file)}

    found = error(environment)
    assert "DATAHUB_AUTH_TOKEN_FILE" in found
    assert message in found
    assert isinstance(secrets_of(lambda _: "", environment), tuple)


# DataHub's own configuration file


def test_configuration_is_used_on_the_command_line_only(home: Path) -> None:
    configure(home, f"gms:\n  server: {URL}\n  token: {TOKEN}\n")

    connection = settings({"HOME": str(home)}).connection
    assert (connection.address.server, connection.address.setting) == ("datahub.example.com", "~/.datahubenv")
    assert (connection.token, connection.token_setting) == (TOKEN, "~/.datahubenv")
    assert settings({"HOME": str(home), "DATAHUB_GMS_TOKEN": "mine"}).connection.token == "mine"
    with pytest.raises(SettingError, match="No DataHub URL"):
        settings({"HOME": str(home)}, command_line=False)


@pytest.mark.parametrize(
    "environment", [{"DATAHUB_GMS_URL": "https://other.example.com"}, {"DATAHUB_GMS_HOST": "other.example.com"}]
)
def test_token_of_the_configuration_goes_to_its_own_address_only(home: Path, environment: dict[str, str]) -> None:
    configure(home, f"gms:\n  server: {URL}\n  token: {TOKEN}\n")

    connection = settings({"HOME": str(home), **environment}).connection

    assert (connection.address.server, connection.token, connection.token_setting) == ("other.example.com", "", "")


def test_configuration_that_is_not_needed_is_not_read(home: Path) -> None:
    configure(home, "gms: [")

    assert settings({"HOME": str(home), "DATAHUB_GMS_URL": URL}).connection.address.server == "datahub.example.com"


def test_configuration_is_read_as_it_is_written(home: Path) -> None:
    configure(home, f"gms: {{server: '{URL}', token: '${{x}}$${{y'}}\n")
    assert settings({"HOME": str(home)}).connection.token == "${x}$${y"


BOMB = "\n".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))


@pytest.mark.parametrize(
    ("text", "skip", "message"),
    [
        *((f"gms: {{server: '{URL}', token: s3cr3t}}", skip, "No DataHub URL") for skip in ("true", "True", "1")),
        *(
            (text, "", "No DataHub URL")
            for text in ("", "gms: x", "gms: {server: [x]}", "- gms", "gms: {server: null}")
        ),
        ("gms: {token: s3cr3t}", "", "No DataHub URL"),
        *((text, "", "~/.datahubenv is not valid YAML.") for text in ("gms: [", "gms: {token: s3cr3t", "\t")),
        (f"a0: &a0 [x, x]\n{BOMB}\ngms: {{server: *a59}}", "", "~/.datahubenv is not valid YAML."),
    ],
)
def test_configuration_without_an_address_counts_as_none_and_is_not_quoted(
    home: Path, text: str, skip: str, message: str
) -> None:
    configure(home, text)

    found = error({"HOME": str(home), "DATAHUB_SKIP_CONFIG": skip})
    assert message in found
    assert "s3cr3t" not in found
