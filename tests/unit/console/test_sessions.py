"""Who is signed in, and for how long."""

import pytest

from relay.console.sessions import ABSOLUTE, IDLE, MOST_LINKS, MOST_PER_KEY, MOST_SESSIONS, ONCE, Sessions
from relay.testing.clocks import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sessions(clock: FakeClock) -> Sessions:
    return Sessions(clock=clock)


def test_a_session_belongs_to_its_key(sessions: Sessions) -> None:
    """A token leads to the key that signed in, and to a form token of its own."""
    first, second = sessions.begin("key-one"), sessions.begin("key-two")
    one, two = sessions.find(first), sessions.find(second)

    assert one is not None
    assert two is not None
    assert (one.key_id, two.key_id) == ("key-one", "key-two")
    assert one.csrf != two.csrf


def test_tokens_cannot_be_guessed(sessions: Sessions) -> None:
    """Tokens have at least 128 bits, differ every time, and a form's token is not the cookie's."""
    tokens = {sessions.begin(f"key-{n}") for n in range(50)} | {sessions.link("key") for _ in range(50)}
    session = sessions.find(token := sessions.begin("key"))

    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 22  # 128 bits in base64url
    assert session is not None
    assert session.csrf != token
    assert len(session.csrf) >= 22


@pytest.mark.parametrize("token", ["", "nothing", "ключ", "\udc80", "x" * 10_000])
def test_an_unknown_token_is_nobody(sessions: Sessions, token: str) -> None:
    """Whatever a cookie holds, it is a session only when we gave it out."""
    sessions.begin("key")

    assert sessions.find(token) is None


def test_an_unused_session_ends_after_half_an_hour(sessions: Sessions, clock: FakeClock) -> None:
    """Use keeps a session; without it, it is over after 30 minutes and cannot come back."""
    token = sessions.begin("key")
    clock.advance(IDLE - 1)
    used = sessions.find(token)
    clock.advance(IDLE - 1)
    used_again = sessions.find(token)
    clock.advance(IDLE)
    ended = sessions.find(token)

    assert used is not None
    assert used_again is not None
    assert ended is None
    assert len(sessions) == 0


def test_every_session_ends_after_twelve_hours(sessions: Sessions, clock: FakeClock) -> None:
    """A page that stays open all day has to sign in again."""
    token = sessions.begin("key")
    for _ in range(int(ABSOLUTE // 600) - 1):
        clock.advance(600)
        assert sessions.find(token) is not None
    clock.advance(600)

    assert sessions.find(token) is None


def test_the_wall_clock_ends_nothing(sessions: Sessions, clock: FakeClock) -> None:
    """A corrected clock neither ends a session nor makes one last."""
    token = sessions.begin("key")
    clock.jump(-86_400)
    early = sessions.find(token)
    clock.advance(IDLE)

    assert early is not None
    assert sessions.find(token) is None


def test_signing_out_ends_it_here(sessions: Sessions) -> None:
    """A token that somebody copied is worth nothing after signing out."""
    token, other = sessions.begin("key"), sessions.begin("key")
    sessions.end(token)
    sessions.end(token)

    assert sessions.find(token) is None
    assert sessions.find(other) is not None


def test_a_revoked_key_ends_its_sessions_and_links(sessions: Sessions) -> None:
    """Nobody goes on with a key that was taken back; others go on."""
    first, second, other = sessions.begin("lost"), sessions.begin("lost"), sessions.begin("kept")
    link = sessions.link("lost")
    ended = sessions.end_all("lost")

    assert ended == 2
    assert sessions.find(first) is None
    assert sessions.find(second) is None
    assert sessions.redeem(link) == ""
    assert sessions.find(other) is not None


def test_one_key_cannot_push_out_the_others(sessions: Sessions) -> None:
    """Signing in again and again costs only one's own oldest sessions."""
    duty = sessions.begin("duty")
    own = [sessions.begin("busy") for _ in range(MOST_PER_KEY + 5)]

    assert sessions.find(duty) is not None
    assert sessions.find(own[0]) is None
    assert sessions.find(own[-1]) is not None
    assert len(sessions) == MOST_PER_KEY + 1


def test_sessions_are_bounded(sessions: Sessions) -> None:
    """Memory is bounded however many keys sign in; the longest unused gives way."""
    tokens = [sessions.begin(f"key-{n}") for n in range(MOST_SESSIONS)]
    sessions.find(tokens[0])
    sessions.begin("one more")

    assert len(sessions) == MOST_SESSIONS
    assert sessions.find(tokens[0]) is not None
    assert sessions.find(tokens[1]) is None


def test_a_link_is_good_once(sessions: Sessions) -> None:
    """The second who follows a one-time link is not let in."""
    token = sessions.link("admin")

    assert sessions.redeem(token) == "admin"
    assert sessions.redeem(token) == ""
    assert sessions.redeem("guess") == ""


def test_a_link_is_good_for_a_quarter_of_an_hour(sessions: Sessions, clock: FakeClock) -> None:
    """A link found in an old terminal opens nothing."""
    early, late = sessions.link("admin"), sessions.link("admin")
    clock.advance(ONCE - 1)
    in_time = sessions.redeem(early)
    clock.advance(1)

    assert in_time == "admin"
    assert sessions.redeem(late) == ""


def test_links_are_bounded(sessions: Sessions) -> None:
    """Of many links the newest stay."""
    links = [sessions.link("admin") for _ in range(MOST_LINKS + 1)]

    assert sessions.redeem(links[0]) == ""
    assert sessions.redeem(links[-1]) == "admin"


@pytest.mark.parametrize("given", ["", "other", "ключ", "\udc80"])
def test_a_form_needs_its_session_s_token(sessions: Sessions, given: str) -> None:
    """Only the token of this session lets a form through."""
    session = sessions.find(sessions.begin("key"))

    assert session is not None
    assert session.allows(session.csrf)
    assert not session.allows(given)
