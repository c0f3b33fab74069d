"""Key material: a typo is refused by arithmetic alone, and nothing that is kept leads back to the secret."""

import hashlib
import string

from hypothesis import given
from hypothesis import strategies as st

from app.accounts.key_secret import digest_of, hint_of, new_secret, well_formed

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRETS = st.builds(lambda live: new_secret(live=live), st.booleans())
ANY_CHARACTER = st.characters() | st.sampled_from(BASE62 + "_ \n\x00")


def test_a_secret_says_what_it_is_and_is_48_characters_of_url_safe_text() -> None:
    for prefix, live in (("fm_live_", True), ("fm_test_", False)):
        secret = new_secret(live=live)
        assert secret.startswith(prefix)
        assert len(secret) == 8 + 32 + 6
        assert set(secret.removeprefix(prefix)) <= set(BASE62)
        assert well_formed(secret)


def test_ten_thousand_secrets_differ() -> None:
    assert len({new_secret(live=True) for _ in range(10_000)}) == 10_000


@given(SECRETS, st.data())
def test_every_single_character_typo_is_refused(secret: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(secret) - 1))
    character = data.draw(ANY_CHARACTER.filter(lambda each: each != secret[place]))
    assert not well_formed(secret[:place] + character + secret[place + 1 :])


@given(SECRETS, st.data())
def test_two_neighbours_that_change_places_are_refused(secret: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(secret) - 2).filter(lambda at: secret[at] != secret[at + 1]))
    assert not well_formed(secret[:place] + secret[place + 1] + secret[place] + secret[place + 2 :])


@given(SECRETS, st.data())
def test_a_lost_or_an_added_character_is_refused(secret: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(secret) - 1))
    assert not well_formed(secret[:place] + secret[place + 1 :])
    assert not well_formed(secret[:place] + data.draw(ANY_CHARACTER) + secret[place:])


@given(st.text())
def test_no_text_breaks_the_check(text: str) -> None:
    assert not well_formed(text)


def test_a_live_key_cannot_be_turned_into_a_test_key() -> None:
    assert not well_formed(new_secret(live=True).replace("fm_live_", "fm_test_"))


@given(SECRETS)
def test_what_is_kept_of_a_secret_is_its_sha256_and_what_is_shown_are_twelve_characters(secret: str) -> None:
    assert digest_of(secret) == hashlib.sha256(secret.encode()).digest()
    assert hint_of(secret) == f"{secret[:8]}…{secret[-4:]}"
