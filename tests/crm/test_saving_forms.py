"""A form sent as it is shown, with one thing changed, changes that one thing."""

import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import timezone

from propolis.accounts.models import Membership
from propolis.crm import edit, statuses
from propolis.crm.models import Company, Contact, Opportunity
from propolis.history.models import Change
from tests.crm.people import Msp
from tests.crm.test_edit import company, contact, opportunity


class Shown(HTMLParser):
    """What a browser would send of every form of a page: name → value."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = dict(attrs)
        name = at.get("name") or ""
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select and (self._select not in self.sent or "selected" in at):
            self.sent[self._select] = at.get("value") or ""
        elif tag == "textarea":
            self._area, self.sent[name] = name, ""
        elif tag == "input" and name and (at.get("type") not in ("checkbox", "radio") or "checked" in at):
            self.sent[name] = at.get("value") or ("on" if at.get("type") == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self.sent[self._area] = self.sent[self._area].removeprefix("\n")  # as browsers do
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.sent[self._area] += data


def resend(client: Client, where: str, **changed: str) -> None:
    """Opens the form, changes these fields, saves."""
    form = Shown(client.get(where).content.decode()).sent
    assert changed.keys() <= form.keys()
    answer = client.post(where, {**form, **changed})
    assert answer.status_code == 302, answer.content.decode()


def test_who_cannot_sign_in_keeps_records_that_somebody_else_edits(msp: Msp, alice: Client) -> None:
    """Charlie was imported and not invited yet; Bob has left."""
    deal = opportunity(msp, salesperson=msp.charlie.pk, next_step="Call", next_step_by=msp.bob.pk)
    Membership.objects.filter(pk=msp.bob.pk).update(state=Membership.State.DISABLED)
    resend(alice, f"/acme/opportunities/{deal.pk}/edit/", amount="4200")
    resend(alice, f"/acme/opportunities/{deal.pk}/next-step/", next_step="Call again")
    resend(alice, f"/acme/opportunities/{deal.pk}/field/salesperson/")
    deal.refresh_from_db()
    assert (str(deal.amount), deal.salesperson, deal.next_step) == ("4200.00", msp.charlie, "Call again")
    assert deal.next_step_by == msp.bob
    page = alice.get("/acme/opportunities/new/").content.decode()
    assert "Bob Seller" not in page, "records are given to those who can sign in"


def test_an_opportunity_brought_back_into_an_archived_status_stays_there(msp: Msp, alice: Client) -> None:
    on_hold = msp.status("On hold")
    deal = opportunity(msp, status=on_hold.pk)
    edit.delete(deal, actor=msp.alice)
    statuses.archive(on_hold, None, actor=msp.alice)
    edit.bring_back(Opportunity.objects.get(), actor=msp.alice)
    resend(alice, f"/acme/opportunities/{deal.pk}/edit/", amount="4200")
    deal.refresh_from_db()
    assert (str(deal.amount), deal.status) == ("4200.00", on_hold)


def test_a_contact_of_a_deleted_company_is_saved_as_it_stands(msp: Msp, alice: Client) -> None:
    firm = company(msp)
    jo = contact(msp, "Jo", company=firm.pk)
    edit.delete(firm, actor=msp.alice)
    resend(alice, f"/acme/contacts/{jo.pk}/edit/", title="Owner")
    assert Contact.objects.values_list("title", "company").get() == ("Owner", firm.pk)
    other = contact(msp, "Sam")
    alice.post(f"/acme/contacts/{other.pk}/field/company/", {"company": f"Brightwater #{firm.pk}"})
    assert Contact.objects.get(pk=other.pk).company is None, "nobody new joins it"


def test_a_next_step_is_for_who_sets_it_unless_they_say_otherwise(msp: Msp, alice: Client) -> None:
    deal = opportunity(msp)
    where = f"/acme/opportunities/{deal.pk}/next-step/"
    resend(alice, where, next_step="Call", next_step_on=timezone.localdate().isoformat())
    assert "Call" in alice.get("/acme/").content.decode(), "it is on her dashboard"
    resend(alice, where, next_step_by=str(msp.bob.pk))
    resend(alice, where, next_step="Call again")
    assert Opportunity.objects.get().next_step_by == msp.bob


def test_done_does_not_wipe_a_step_that_somebody_set_meanwhile(msp: Msp, alice: Client) -> None:
    deal = opportunity(msp, next_step="Call", next_step_on="2026-11-02")
    page = alice.get(f"/acme/opportunities/{deal.pk}/").content.decode()
    seen = re.findall(r'name="rev" value="(\d+)"><button class="btn sm" name="done"', page)
    edit.update(msp.account, deal, {"next_step": "Send the offer"}, actor=msp.bob)
    where = f"/acme/opportunities/{deal.pk}/next-step/"
    answer = alice.post(where, {"rev": seen[0], "done": "1"})
    assert (answer.status_code, "Next step is now: Send the offer" in answer.content.decode()) == (400, True)
    again = Shown(answer.content.decode()).sent["rev"]
    alice.post(where, {"rev": again, "done": "1"})
    assert Opportunity.objects.values_list("next_step", "next_step_on").get() == ("", None)


def test_two_people_who_change_different_fields_are_both_right(msp: Msp, alice: Client) -> None:
    """Bob's window was opened before Alice saved: what he did not touch is not put back."""
    firm = company(msp, "Brightwater", city="Portland", phone="1", notes="one\ntwo", residential=True)
    where = f"/acme/companies/{firm.pk}/edit/"
    bobs = Shown(alice.get(where).content.decode()).sent
    resend(alice, where, city="Salem")
    assert alice.post(where, {**bobs, "phone": "2"}).status_code == 302
    row = Company.objects.get()
    assert (row.city, row.phone, row.notes, row.residential) == ("Salem", "2", "one\ntwo", True)
    resend(alice, where, phone="3", website="old.example")
    answer = alice.post(where, {**bobs, "phone": "4", "state": "OR"})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert re.findall(r">(\w+ is now: [^<]*)", page) == ["Phone is now: 3"] * 2, (
        "in the summary and beside it"
    )
    again = Shown(page).sent
    assert (again["city"], again["website"], again["phone"], again["state"]) == (
        "Salem", "old.example", "4", "OR",
    )  # fmt: skip
    assert alice.post(where, again).status_code == 302
    row.refresh_from_db()
    assert (row.city, row.website, row.phone, row.state) == ("Salem", "old.example", "4", "OR")


def test_a_reference_somebody_else_changed_stays_too(msp: Msp, alice: Client) -> None:
    deal = opportunity(msp, company=company(msp).pk, amount="10", expected_close="2026-11-02")
    where = f"/acme/opportunities/{deal.pk}/edit/"
    bobs = Shown(alice.get(where).content.decode()).sent
    other = company(msp, "Other")
    resend(alice, where, company=f"Other #{other.pk}", salesperson=str(msp.bob.pk), expected_close="")
    assert alice.post(where, {**bobs, "amount": "20"}).status_code == 302
    deal.refresh_from_db()
    assert (deal.company, deal.salesperson, str(deal.amount), deal.expected_close) == (
        other, msp.bob, "20.00", None,
    )  # fmt: skip


def test_a_form_sent_as_it_is_changes_nothing(msp: Msp, alice: Client) -> None:
    """Not the ends of lines either, which browsers write their own way, nor spaces around what was imported."""
    jo = contact(msp, "Jo", notes="door\ncode\r\n", phone=" 212 555 0100 ")
    before = Change.objects.count()
    where = f"/acme/contacts/{jo.pk}/edit/"
    form = Shown(alice.get(where).content.decode()).sent
    sent = {name: value.replace("\r\n", "\n").replace("\n", "\r\n") for name, value in form.items()}
    assert alice.post(where, sent).status_code == 302
    assert Change.objects.count() == before
    assert Contact.objects.values_list("notes", "phone").get() == ("door\ncode\r\n", " 212 555 0100 ")


def test_saving_what_was_deleted_meanwhile_leads_to_the_way_back(msp: Msp, alice: Client) -> None:
    firm = company(msp)
    where = f"/acme/companies/{firm.pk}/edit/"
    form = Shown(alice.get(where).content.decode()).sent
    edit.delete(firm, actor=msp.bob)
    answer = alice.post(where, {**form, "city": "Salem"}, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain == [(f"/acme/companies/{firm.pk}/", 302)]
    assert "Brightwater was deleted meanwhile. Nothing was saved." in page
    assert ("by Bob Seller" in page, "Bring back" in page) == (True, True)
    assert 'name="body"' not in page, "no note is offered that would be refused"
    assert "Nothing was saved" not in alice.get(where, follow=True).content.decode()
    assert alice.get(where, headers={"hx-request": "true"}).status_code == 404
    assert alice.get("/acme/companies/999999/edit/").status_code == 404


def test_whatever_is_pressed_of_a_record_deleted_meanwhile_leads_to_the_way_back(
    msp: Msp, alice: Client
) -> None:
    jo, deal = contact(msp, email="jo@firm.example"), opportunity(msp)
    jo_at, deal_at = f"/acme/contacts/{jo.pk}/", f"/acme/opportunities/{deal.pk}/"
    edit.delete(jo, actor=msp.bob)
    edit.delete(deal, actor=msp.bob)
    won = msp.status("Won").pk
    for where, what, sent in (
        (deal_at, "move/", {"status": won, "from": "board"}), (deal_at, "add-company/", {}),
        (jo_at, "mail/", {}), (jo_at, "lists/", {"list": 1}), (jo_at, "merge/", {}),
    ):  # fmt: skip
        answer = alice.post(where + what, sent, follow=True)
        assert (what, answer.redirect_chain) == (what, [(where, 302)])
        assert "was deleted meanwhile. Nothing was saved." in answer.content.decode()
    for where in (jo_at, deal_at):
        page = alice.get(where).content.decode()
        offers = ("Edit all", "/field/", "/lists/", "/mail/", "/move/")
        assert [each for each in offers if each in page.partition("<main")[2]] == [], where


def test_a_number_at_the_end_of_a_name_is_no_other_records(msp: Msp, alice: Client) -> None:
    acme = company(msp, "Acme  Ltd")
    studio = company(msp, f"Studio #{acme.pk}")
    where = "/acme/contacts/new/"

    def picked(text: str) -> Company | None:
        answer = alice.post(where, {"first": "Jo", "company": text})
        made = Contact.objects.select_related("company").latest("pk") if answer.status_code == 302 else None
        return made.company if made else None

    assert picked(studio.name) == studio
    assert picked(f"Acme Ltd #{acme.pk}") == picked(f"#{acme.pk}") == acme
    assert picked(f"Nobody #{acme.pk}") is None


def test_a_new_opportunity_is_not_given_a_deleted_company(msp: Msp, alice: Client) -> None:
    firm = company(msp)
    jo = contact(msp, company=firm.pk)
    edit.delete(firm, actor=msp.bob)
    where = f"/acme/opportunities/new/?contact={jo.pk}"
    form = Shown(alice.get(where).content.decode()).sent
    assert alice.post(where, {**form, "name": "Firewall"}).status_code == 302


def test_a_name_that_ends_with_a_full_stop_ends_the_sentence(msp: Msp, alice: Client) -> None:
    page = alice.post("/acme/companies/new/", {"name": "Ivy <Media> Co."}, follow=True).content.decode()
    assert "Added Ivy &lt;Media&gt; Co.<" in page
    gone = alice.post(f"/acme/companies/{Company.objects.get().pk}/delete/", follow=True).content.decode()
    assert "Deleted Ivy &lt;Media&gt; Co. <form" in gone


@pytest.mark.parametrize("typed", ["jo", "@firm.example", "jo firm.example"])
def test_what_is_no_address_is_not_taken_for_one(msp: Msp, alice: Client, typed: str) -> None:
    """Or its contact would silently get no mail."""
    answer = alice.post("/acme/contacts/new/", {"first": "Jo", "email": typed})
    assert (answer.status_code, "Enter an e-mail address" in answer.content.decode()) == (400, True)
    odd = contact(msp, "Sam", email=typed)
    resend(alice, f"/acme/contacts/{odd.pk}/edit/", title="Owner")
    assert Contact.objects.values_list("email", "title").get() == (typed, "Owner"), "what was imported stays"
    alice.post(f"/acme/contacts/{odd.pk}/field/email/", {"email": "Sam <sam@firm.example>", "rev": "2"})
    assert Contact.objects.get().email_key == "sam@firm.example"
