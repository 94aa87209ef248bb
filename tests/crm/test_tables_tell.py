"""What tables and cards say is so: counts, choices, what nothing means, what a button is about to do."""

import re

from django.test import Client

from propolis.crm import edit, lists
from propolis.crm.models import Contact, List, ListMember, Opportunity
from tests.crm.people import Msp
from tests.crm.test_edit import company, contact, opportunity


def choices(page: str, name: str) -> list[str]:
    select = re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL)
    assert select
    return re.findall(r'<option value="\d+"[^>]*>([^<]*)', select[0])


def test_the_statuses_offered_are_those_that_find_something(msp: Msp, alice: Client) -> None:
    """ "Won" chosen among the open ones found nothing, ever."""
    opportunity(msp, "Firewall", status=msp.status("Won").pk)
    assert "Won" not in choices(alice.get("/acme/opportunities/").content.decode(), "status")
    assert choices(alice.get("/acme/opportunities/?show=won").content.decode(), "status") == ["Won"]
    everything = choices(alice.get("/acme/opportunities/?show=all").content.decode(), "status")
    assert (everything[0], everything[-2:]) == ("New", ["Won", "Lost"])
    assert "Won" not in choices(alice.get("/acme/opportunities/amounts/").content.decode(), "status")
    named = alice.get(f"/acme/opportunities/?status={msp.status('Won').pk}").content.decode()
    assert "Won" in choices(named, "status"), "an old address says what it filters by"


def test_more_opportunities_than_a_card_holds_are_not_counted_as_what_it_holds(
    msp: Msp, alice: Client
) -> None:
    firm = company(msp)
    jo = contact(msp, "Jo")
    for n in range(21):
        opportunity(msp, f"Deal {n:02}", company=firm.pk, contact=jo.pk)
    for where in (f"companies/{firm.pk}", f"contacts/{jo.pk}"):
        page = alice.get(f"/acme/{where}/").content.decode()
        card = page[page.index('id="deals"') :]
        assert re.findall(r'badge num">([^<]*)', card)[0] == "20+"
        more = re.findall(r'href="([^"]*)">All opportunities of', card)
        assert "21 opportunities" in alice.get(more[0].replace("&amp;", "&")).content.decode()
    edit.delete(Opportunity.objects.all()[0], actor=msp.alice)
    page = alice.get(f"/acme/companies/{firm.pk}/").content.decode()
    assert re.findall(r'badge num">([^<]*)', page[page.index('id="deals"') :])[0] == "20"


def test_a_list_that_leaves_nothing_is_not_called_by_its_name(msp: Msp, alice: Client) -> None:
    news = lists.create_list(msp.account, "Spring News")
    page = alice.get(f"/acme/lists/{news.pk}/?q=nobody").content.decode()
    assert "No contacts with these filters." in page


def test_a_contact_made_on_a_list_is_on_it(msp: Msp, alice: Client) -> None:
    news = lists.create_list(msp.account, "News")
    page = alice.get(f"/acme/lists/{news.pk}/").content.decode()
    where = re.findall(r'href="(/acme/contacts/new/[^"]*)"', page)[0]
    answer = alice.post(where, {"first": "Jo"}, follow=True)
    assert "Added Jo to News." in answer.content.decode()
    assert ListMember.objects.values_list("list", "contact__first", "by").get() == (
        news.pk, "Jo", msp.alice.pk,
    )  # fmt: skip
    alice.post("/acme/contacts/new/?list=999999", {"first": "Sam"})
    assert (Contact.objects.count(), ListMember.objects.count()) == (2, 1)


def test_deleting_a_list_says_first_what_is_forgotten(msp: Msp, alice: Client) -> None:
    news = lists.create_list(msp.account, "News")
    lists.add(news, [contact(msp, "Jo").pk, contact(msp, "Sam").pk], actor=msp.alice)
    page = alice.get(f"/acme/lists/{news.pk}/edit/").content.decode()
    ask = re.search(r"<details>.*?</details>", page, re.DOTALL)
    assert ask
    assert "2 contacts are on it." in ask[0]
    assert "Delete News" in ask[0], "folded away until asked for"
    alice.post(f"/acme/lists/{news.pk}/delete/")
    assert (List.objects.count(), Contact.objects.count()) == (0, 2)
    log = alice.get("/acme/settings/audit/").content.decode()
    assert ("List: deleted" in log, "list News, contacts 2" in log) == (True, True)


def test_mail_that_came_back_is_noted_for_the_address(msp: Msp, alice: Client) -> None:
    jo, sam = (
        contact(msp, "Jo", email="office@firm.example"),
        contact(msp, "Sam", email="OFFICE@firm.example"),
    )
    page = alice.post(f"/acme/contacts/{jo.pk}/mail/", {"bounced": "1"}, follow=True).content.decode()
    assert "office@firm.example is noted as bounced, for every contact with this address." in page
    assert list(Contact.objects.values_list("mail_state", flat=True)) == ["bounced", "bounced"]
    bounced = alice.get("/acme/contacts/?show=bounced").content.decode()
    assert "2 contacts" in bounced
    alice.post(f"/acme/contacts/{sam.pk}/mail/", {"subscribe": "1", "reason": "New server"})
    assert list(Contact.objects.values_list("mail_state", flat=True)) == ["subscribed", "subscribed"]
