"""One table of who may do what, the same in code, on pages and in the documentation."""

from pathlib import Path

import pytest

from propolis.accounts.models import Membership
from propolis.accounts.policy import Verb, as_markdown, may, refusal, who_can
from propolis.accounts.scoping import in_account
from tests.people import Crew, client_of

ADMIN_ONLY = {
    Verb.CONNECT,
    Verb.IMPORT,
    Verb.UNDO_OTHERS,
    Verb.UNDO_RUN,
    Verb.BACKUP,
    Verb.RESTORE,
    Verb.USERS,
    Verb.AUDIT,
    Verb.SETTINGS,
}


def test_the_page_is_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "permissions.md"
    assert page.read_text() == as_markdown()


def test_an_admin_may_everything_and_the_others_their_share(crew: Crew) -> None:
    def granted(person: Membership) -> set[Verb]:
        return {verb for verb in Verb if may(person, verb)}

    assert granted(crew.alice) == set(Verb)
    assert granted(crew.bob) == set(Verb) - ADMIN_ONLY - {Verb.LISTS, Verb.EXPORT, Verb.CSV_IMPORT}
    assert granted(crew.mia) == set(Verb) - ADMIN_ONLY - {Verb.OPPORTUNITIES, Verb.SEND}


@pytest.mark.parametrize("state", ["linked", "invited", "disabled"])
def test_only_active_people_may_anything(crew: Crew, state: str) -> None:
    crew.alice.state = state
    assert not any(may(crew.alice, verb) for verb in Verb)
    assert not any(may(None, verb) for verb in Verb)


def test_the_refusal_says_who_can(crew: Crew) -> None:
    with in_account(crew.account):
        told = [refusal(v) for v in (Verb.IMPORT, Verb.SEND, Verb.CSV_IMPORT)]
    assert told == [
        "Only an Admin can import. Ask Alice Moreau.",
        "Only an Admin or a Salesperson can send to Syncro. Ask Alice Moreau or Bob Tanaka.",
        "Only an Admin or a Marketer can import a CSV file. Ask Alice Moreau or Mia Okafor.",
    ]
    assert who_can(Verb.SEE) == "Only an Admin, a Marketer or a Salesperson can see this account."


@pytest.mark.parametrize("page", ["users/", "users/new/", "users/invite/", "account/", "audit/"])
def test_a_view_refuses_with_that_sentence(crew: Crew, page: str) -> None:
    answer = client_of(crew.bob).get(f"/acme/settings/{page}")
    assert answer.status_code == 403
    assert "Ask Alice Moreau." in answer.content.decode()
    assert client_of(crew.alice).get(f"/acme/settings/{page}").status_code in (200, 302)


def test_pages_show_only_what_one_may_reach(crew: Crew) -> None:
    def entries(person: Membership) -> list[str]:
        groups = client_of(person).get("/acme/settings/").context["settings_nav"]
        return [e.label for g in groups for e in g["entries"]]

    mine = ["Profile", "Password", "Two-step sign-in", "Sessions"]
    assert entries(crew.bob)[:4] == mine
    assert {"Account", "Users", "Audit log"} <= set(entries(crew.alice))
    assert not {"Account", "Users", "Audit log"} & set(entries(crew.bob))
