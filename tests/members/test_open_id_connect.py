"""Sign-in at a provider: a real one on loopback, honest first, and then wrong in one thing at a time."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from app.accounts.account import User
from app.accounts.user_store import insert_user
from app.errors import AppError, Invalid
from app.members.identities import Identities
from app.members.identity import EmailUnverified, IdentityConflict, IdentityUnbound
from app.members.joining import SignUpClosed
from app.members.open_id_attempt import local_page, read_attempt
from app.members.open_id_connect import OpenIdConnect
from app.members.open_id_http import ProviderRefused, ProviderUnavailable
from app.members.open_id_provider import OpenIdProvider
from tests.members.people import CLIENT, PASSWORD, People, text_of
from tests.members.provider import CLIENT_ID, CLIENT_SECRET, Provider, rsa_key, serving

ADA = "ada@example.com"


@pytest.fixture
def provider(people: People) -> Iterator[Provider]:
    provider = Provider(int(people.clock.now().timestamp()))
    with serving(provider):
        yield provider


def client_of(
    people: People, provider: Provider, *, plan: str | None = "payg", secret: str = CLIENT_SECRET
) -> OpenIdConnect:
    return OpenIdConnect(
        Identities(people.database, people.clock, people.link_mail, plan_of_newcomers=plan),
        people.identity_binding,
        OpenIdProvider(
            people.clock,
            issuer=provider.issuer,
            client_id=CLIENT_ID,
            client_secret=secret,
            redirect_uri="https://meter.example/login/callback",
        ),
        name="Example",
    )


@pytest.fixture
def client(people: People, provider: Provider) -> OpenIdConnect:
    return client_of(people, provider)


async def sign_in(client: OpenIdConnect, provider: Provider, **query: str) -> User:
    url, cookie = await client.authorize("/usage")
    return await client.finish(provider.follow(url) | query, cookie, address=CLIENT)


async def refusal(client: OpenIdConnect, provider: Provider, **query: str) -> AppError:
    with pytest.raises(AppError) as caught:
        await sign_in(client, provider, **query)
    return caught.value


async def test_a_newcomer_gets_a_user_and_an_account_and_comes_back_as_the_same(
    people: People, client: OpenIdConnect, provider: Provider
) -> None:
    provider.person["name"] = "Ada Lovelace"
    url, cookie = await client.authorize("/usage", zone="Asia/Kathmandu")
    user = await client.finish(provider.follow(url), cookie, address=CLIENT)
    assert user.email == ADA
    assert not people.passwords.has_password(user.id)
    (membership,) = people.members.accounts_of(user.id)
    assert (membership.account.name, membership.account.zone) == ("Ada Lovelace", "Asia/Kathmandu")
    assert people.actions()[-1] == "identity.bound"
    assert await sign_in(client, provider) == user
    assert len(people.members.accounts_of(user.id)) == 1


def user_without_password(people: People) -> User:
    user = User("user_1", ADA, operator=False, created_at=people.clock.now())
    with people.database.transaction() as session:
        insert_user(session, user, password_hash=None)
    return user


async def test_a_user_without_a_password_is_bound_by_a_verified_address_once_and_told(
    people: People, client: OpenIdConnect, provider: Provider
) -> None:
    ada = user_without_password(people)
    assert await sign_in(client, provider) == ada
    assert await sign_in(client, provider) == ada
    assert people.actions().count("identity.bound") == 1
    (told,) = people.mails_to(ADA)
    assert told["Subject"] == "Another way to sign in"
    assert provider.issuer in text_of(told)


@pytest.mark.parametrize("operator", [True, False])
async def test_whoever_has_a_password_is_bound_to_no_sign_in_by_its_address_alone(
    people: People, client: OpenIdConnect, provider: Provider, operator: bool
) -> None:
    people.accounts.create_user(ADA, PASSWORD, operator=operator)
    assert isinstance(await refusal(client, provider), IdentityUnbound)
    assert "identity.bound" not in people.actions()


@pytest.mark.parametrize("email", ["\u212aate@example.com", "e\u0301va@example.com", "a@\u212a.example"])
async def test_an_address_that_only_looks_like_another_one_is_nobodys(
    people: People, client: OpenIdConnect, provider: Provider, email: str
) -> None:
    provider.person["email"] = email
    assert isinstance(await refusal(client, provider), EmailUnverified)


async def test_an_address_in_another_script_is_taken_as_it_is(client: OpenIdConnect, provider: Provider) -> None:
    provider.person["email"] = "用户@例子.example"
    assert (await sign_in(client, provider)).email == "用户@例子.example"


@pytest.mark.parametrize("verified", [False, None, "true", 1])
async def test_an_address_that_the_provider_does_not_vouch_for_binds_nobody(
    people: People, client: OpenIdConnect, provider: Provider, verified: object
) -> None:
    people.join()
    provider.person["email_verified"] = verified
    assert isinstance(await refusal(client, provider), EmailUnverified)
    assert "identity.bound" not in people.actions()


async def test_a_bound_subject_stays_the_same_user_whatever_its_address_becomes(
    client: OpenIdConnect, provider: Provider
) -> None:
    user = await sign_in(client, provider)
    provider.person |= {"email": "other@example.com", "email_verified": False}
    assert await sign_in(client, provider) == user


async def test_an_address_that_moves_to_another_subject_does_not_take_the_user_along(
    people: People, client: OpenIdConnect, provider: Provider
) -> None:
    user = await sign_in(client, provider)
    provider.person["sub"] = "subject-2"
    assert isinstance(await refusal(client, provider), IdentityConflict)
    provider.person["sub"] = "subject-1"
    assert await sign_in(client, provider) == user


async def test_where_sign_up_is_not_open_only_known_addresses_come_in(people: People, provider: Provider) -> None:
    client = client_of(people, provider, plan=None)
    assert isinstance(await refusal(client, provider), SignUpClosed)
    ada = user_without_password(people)
    assert await sign_in(client, provider) == ada


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": None},
        {"aud": [CLIENT_ID, "another-client"]},
        {"azp": "another-client"},
        {"iss": "https://another.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"at_hash": "of another access token"},
    ],
    ids=str,
)
async def test_a_token_that_is_wrong_in_one_claim_proves_nothing(
    client: OpenIdConnect, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    assert isinstance(await refusal(client, provider), ProviderRefused)


async def test_a_forged_signature_proves_nothing(client: OpenIdConnect, provider: Provider) -> None:
    for kid in ("one", "unknown"):
        provider.signing_key = RSAKey.generate_key(2048, {"kid": kid})
        assert isinstance(await refusal(client, provider), ProviderRefused)


async def test_a_token_signed_with_a_shared_secret_proves_nothing(client: OpenIdConnect, provider: Provider) -> None:
    provider.signing_key = OctKey.import_key(CLIENT_SECRET.ljust(32), {"kid": "one"})  # type: ignore[assignment]  # the lie
    provider.algorithm = "HS256"
    assert isinstance(await refusal(client, provider), ProviderRefused)


async def test_a_new_key_of_the_provider_is_learned(client: OpenIdConnect, provider: Provider) -> None:
    user = await sign_in(client, provider)
    provider.key = provider.signing_key = rsa_key("two")
    assert await sign_in(client, provider) == user


async def test_an_answer_to_another_browser_is_refused(client: OpenIdConnect, provider: Provider) -> None:
    url, _ = await client.authorize("/")
    _, other_cookie = await client.authorize("/")
    back = provider.follow(url)
    for cookie in (other_cookie, "", "no cookie", "e30=", "\x00ü"):
        with pytest.raises(ProviderRefused):
            await client.finish(back, cookie)
    assert len(provider.grants) == 1  # no code was ever redeemed


async def test_state_issuer_and_error_of_the_answer_are_looked_at(client: OpenIdConnect, provider: Provider) -> None:
    for query in ({"state": "another"}, {"state": ""}, {"iss": "https://another.example"}, {"error": "access_denied"}):
        assert isinstance(await refusal(client, provider, **query), ProviderRefused)
    assert isinstance(await refusal(client, provider, code=""), ProviderRefused)


async def test_a_code_is_redeemed_only_with_the_verifier_and_the_secret_and_once(
    people: People, client: OpenIdConnect, provider: Provider
) -> None:
    url, cookie = await client.authorize("/")
    back = provider.follow(url)
    await client.finish(back, cookie)
    with pytest.raises(ProviderRefused):
        await client.finish(back, cookie)
    assert isinstance(await refusal(client_of(people, provider, secret="wrong"), provider), ProviderRefused)


async def test_a_profile_outside_of_the_token_counts_for_the_same_subject_alone(
    client: OpenIdConnect, provider: Provider
) -> None:
    provider.profile_in_token = False
    provider.claims = {"sub": "subject-2", "email_verified": True}
    assert isinstance(await refusal(client, provider), EmailUnverified)
    provider.claims = {}
    assert (await sign_in(client, provider)).email == ADA


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://another.example"},
        {"token_endpoint": "http://provider.example/token"},
        {"authorization_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
    ],
    ids=str,
)
async def test_a_description_that_is_not_to_be_trusted_ends_the_sign_in(
    client: OpenIdConnect, provider: Provider, changes: dict[str, Any]
) -> None:
    provider.metadata_changes = changes
    with pytest.raises(ProviderUnavailable):
        await client.authorize("/")


async def test_a_new_key_of_a_provider_that_names_no_keys_is_learned(client: OpenIdConnect, provider: Provider) -> None:
    provider.names_keys = False
    user = await sign_in(client, provider)
    provider.key = provider.signing_key = rsa_key("two")
    assert await sign_in(client, provider) == user


async def test_of_many_who_sign_in_at_once_one_asks_the_provider_about_itself(
    client: OpenIdConnect, provider: Provider
) -> None:
    await asyncio.gather(*(client.authorize("/") for _ in range(20)))
    assert provider.descriptions_given == 1


async def test_a_provider_that_fails_is_left_alone_for_a_while(
    people: People, client: OpenIdConnect, provider: Provider
) -> None:
    provider.metadata_changes = {"issuer": "https://another.example"}
    for _ in range(3):
        with pytest.raises(ProviderUnavailable):
            await client.authorize("/")
    assert provider.descriptions_given == 1
    provider.metadata_changes = {}
    people.clock.advance(timedelta(seconds=10))
    await client.authorize("/")


async def test_a_provider_that_is_away_is_said_to_be(people: People, provider: Provider) -> None:
    client = client_of(people, provider)
    client._provider.issuer = "http://127.0.0.1:1"  # type: ignore[union-attr]  # a port where nobody listens
    with pytest.raises(ProviderUnavailable):
        await client.authorize("/")


async def test_without_a_provider_nobody_signs_in_there(people: People) -> None:
    client = OpenIdConnect(people.identities, people.identity_binding, None, name="None")
    assert not client.enabled
    with pytest.raises(ProviderRefused):
        await client.authorize("/")
    with pytest.raises(ProviderRefused):
        await client.finish({}, "")


async def test_the_way_back_never_leads_elsewhere(client: OpenIdConnect) -> None:
    _, cookie = await client.authorize("/usage?group=model")
    assert client.return_to(cookie) == "/usage?group=model"
    _, elsewhere = await client.authorize("https://evil.example/")
    assert client.return_to(elsewhere) == "/"
    assert client.return_to("no cookie") == "/"
    with pytest.raises(Invalid):
        await client.authorize("/", zone="Mars/Olympus")


@pytest.mark.parametrize(
    "url",
    ["//evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "evil", "", "/\n/evil.example", "///evil"],
)
def test_what_leads_elsewhere_becomes_the_front_page(url: str) -> None:
    assert local_page(url) == "/"


def test_no_attempt_is_read_from_what_is_none() -> None:
    for cookie in ("", "e30=", "WzFd", "\ud800", "a" * 5000):
        assert read_attempt(cookie) is None
