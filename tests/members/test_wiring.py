"""Settings become the right collaborators, and a wrong one is refused at the start."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.bootstrap import open_books
from app.errors import Invalid
from app.outbox.folder import FolderDelivery
from app.outbox.smtp import SmtpDelivery
from app.settings import load_settings


def test_without_settings_mail_lies_in_a_folder_and_nobody_signs_up(tmp_path: Path) -> None:
    books = open_books(load_settings(data_dir=tmp_path))
    assert isinstance(books.postman._delivery, FolderDelivery)
    assert (books.sign_up.policy, books.open_id_connect.enabled, books.members.invitations_open) == (
        "closed",
        False,
        True,
    )


def test_settings_open_the_doors(tmp_path: Path) -> None:
    settings = load_settings(
        data_dir=tmp_path,
        default_plan="payg",
        public_url="https://meter.example",
        smtp_url=SecretStr("smtp://127.0.0.1:1025"),
        oidc_issuer="https://provider.example",
        oidc_client_id="meter",
        oidc_name="Example",
    )
    books = open_books(settings)
    assert isinstance(books.postman._delivery, SmtpDelivery)
    assert (books.sign_up.policy, books.open_id_connect.enabled, books.open_id_connect.name) == (
        "open",
        True,
        "Example",
    )


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"oidc_issuer": "http://provider.example", "oidc_client_id": "meter"}, "FAREMETER_OIDC_ISSUER"),
        ({"oidc_issuer": "https://provider.example"}, "FAREMETER_OIDC_ISSUER"),
        ({"smtp_url": SecretStr("mail.example")}, "FAREMETER_SMTP_URL"),
        ({"mail_from": "Faremeter"}, "FAREMETER_MAIL_FROM"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_refused_at_the_start(tmp_path: Path, wrong: dict[str, object], where: str) -> None:
    with pytest.raises(Invalid) as caught:
        open_books(load_settings(data_dir=tmp_path, public_url="https://meter.example", **wrong))
    assert caught.value.where == where


@pytest.mark.parametrize(
    "leads_people",
    [
        {"smtp_url": SecretStr("smtp://127.0.0.1:1025")},
        {"oidc_issuer": "https://provider.example", "oidc_client_id": "meter"},
    ],
    ids=str,
)
def test_nobody_is_led_to_an_address_that_was_never_set(tmp_path: Path, leads_people: dict[str, object]) -> None:
    with pytest.raises(Invalid) as caught:
        open_books(load_settings(data_dir=tmp_path, **leads_people))
    assert caught.value.where == "FAREMETER_PUBLIC_URL"
    open_books(load_settings(data_dir=tmp_path, public_url="http://127.0.0.1:8000", **leads_people))
