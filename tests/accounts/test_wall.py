"""An account's pages: for its people; to everybody else they are not there."""

import re
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.utils import timezone

from propolis.accounts.middleware import AccountInAddress, slug_of
from propolis.accounts.models import Membership
from propolis.accounts.scoping import current_account_id, unscoped
from tests.people import Crew, client_of, make_person

SETTINGS = "/acme/settings/"


def without_token(answer: Any) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())


def test_members_get_in(crew: Crew) -> None:
    assert [client_of(p).get(SETTINGS).status_code for p in (crew.alice, crew.bob, crew.mia)] == [200] * 3


def test_charlie_meets_the_same_404_as_for_an_account_that_does_not_exist(crew: Crew) -> None:
    charlie = client_of(crew.charlie)
    there, nowhere = charlie.get(SETTINGS), charlie.get("/nobody/settings/")
    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert without_token(there).replace("/acme/", "/nobody/") == without_token(nowhere)
    assert b"Acme" not in there.content


def test_anonymous_signs_in_and_comes_back(crew: Crew) -> None:
    answer = client_of(None).get(SETTINGS + "?a=b")
    assert (answer.status_code, answer["Location"]) == (302, "/auth/login/?next=/acme/settings/%3Fa%3Db")


def test_an_htmx_request_after_the_session_ended_leads_the_whole_page_to_sign_in(crew: Crew) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1/acme/companies/"}
    answer = client_of(None).get(SETTINGS, headers=headers)
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/auth/login/?next=%2Facme%2Fcompanies%2F")


def test_what_is_sent_after_the_session_ended_leads_back_to_the_page_it_was_on(crew: Crew) -> None:
    """Not, after signing in, to an address that only takes what is sent."""
    browser = client_of(None)
    host = browser.get("/auth/login/").wsgi_request.get_host()
    sent = {"body": "Called, nobody there"}
    answer = browser.post(
        "/acme/companies/1/note/", sent, headers={"referer": f"http://{host}/acme/companies/1/?a=b"}
    )
    assert answer["Location"] == "/auth/login/?next=/acme/companies/1/%3Fa%3Db"
    assert "What you sent last was not saved" in browser.get(answer["Location"]).content.decode()
    for elsewhere in ("", "https://evil.example/acme/companies/1/"):
        answer = browser.post("/acme/companies/1/note/", sent, headers={"referer": elsewhere})
        assert answer["Location"] == "/auth/login/?next=/acme/"


@pytest.mark.parametrize("change", [{"state": "disabled"}, {"state": "invited"}, {"is_salesperson": False}])
def test_who_may_no_longer_sign_in_is_out_at_once(crew: Crew, change: dict[str, Any]) -> None:
    bob = client_of(crew.bob)
    with unscoped():
        Membership.objects.filter(pk=crew.bob.pk).update(**change)
    assert bob.get(SETTINGS).status_code == 404


def test_two_accounts_of_one_person_never_mix(crew: Crew) -> None:
    make_person(crew.elsewhere, "Alice Moreau", "Salesperson", email="alice@acme.example")
    alice = client_of(crew.alice)
    assert alice.get("/acme/settings/users/").status_code == 200
    assert alice.get("/umbel/settings/users/").status_code == 403
    with unscoped():
        umbels = Membership.objects.get(account=crew.elsewhere, email_key="charlie@umbel.example")
    assert alice.get(f"/acme/settings/users/{umbels.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("/acme/companies/", "acme"),
        ("/acme", "acme"),
        ("/auth/login/", None),
        ("/me/", None),
        ("/static/ui/x.css", None),
        ("/", None),
        ("/Acme/", None),
        ("/..%2f/", None),
    ],
)
def test_which_account_an_address_names(path: str, slug: str | None) -> None:
    assert slug_of(path) == slug


def test_a_streamed_answer_stays_inside_its_account(crew: Crew) -> None:
    def parts() -> Any:
        yield f"{current_account_id()} {timezone.get_current_timezone_name()}"

    def view(request: HttpRequest) -> HttpResponse:
        return StreamingHttpResponse(parts())  # type: ignore[return-value]

    request: Any = RequestFactory().get("/acme/export/")
    request.user, request.session = crew.alice.user, {}
    crew.account.time_zone = "Europe/Berlin"
    crew.account.save()
    answer: Any = AccountInAddress(view)(request)
    assert b"".join(answer.streaming_content).decode() == f"{crew.account.pk} Europe/Berlin"
    assert timezone.get_current_timezone_name() == "UTC"


def test_home_leads_to_the_only_account_the_last_one_or_the_choice(crew: Crew) -> None:
    alice = client_of(crew.alice)
    assert alice.get("/")["Location"] == "/acme/"
    make_person(crew.elsewhere, "Alice Moreau", "Salesperson", email="alice@acme.example")
    assert alice.get("/")["Location"] == "/choose/"
    alice.get("/umbel/settings/")
    assert alice.get("/")["Location"] == "/umbel/"


def test_healthz_answers_without_a_session(crew: Crew) -> None:
    answer = client_of(None).get("/healthz")
    assert (answer.json(), answer.cookies) == ({"ok": True}, {})
