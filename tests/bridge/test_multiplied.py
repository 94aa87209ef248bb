"""What `bench pages-million` looks at: a real import, multiplied, in which everything still hangs together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from bench.addresses import of_the_crm
from bench.multiplying import multiply
from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.models import Link
from propolis.crm.models import Company, Contact, ListMember, Opportunity
from propolis.history.models import Change
from syncro_sandbox import SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import import_all, ready
from tests.people import Crew, client_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="it is PostgreSQL that multiplies"),
]
MODELS = (Company, Contact, Opportunity, ListMember, Link, Change)


@pytest.fixture
def acme(crew: Crew) -> Iterator[Account]:
    with (
        in_account(crew.account),
        a_syncro(SeedOptions(companies=6, contacts=30, leads=20, seed=5)) as syncro,
    ):
        ready(crew.account, syncro)
        import_all(crew.account)
        # One page that is measured is about a company Syncro has no more.
        lost = Link.objects.filter(company__isnull=False).order_by("id")[:1]
        Link.objects.filter(pk__in=lost.values("pk")).update(state=Link.State.GONE)
        yield crew.account


def test_everything_is_there_as_often_and_hangs_together(acme: Account, crew: Crew) -> None:
    before = {model: model.objects.count() for model in MODELS}
    per_company = sorted(Contact.objects.filter(company=c).count() for c in Company.objects.all())
    multiply(4)
    assert {model: model.objects.count() for model in MODELS} == {model: 4 * n for model, n in before.items()}
    assert sorted(Contact.objects.filter(company=c).count() for c in Company.objects.all()) == sorted(
        4 * per_company
    )
    links = Link.objects.filter(contact__isnull=False).select_related("contact")
    assert all(
        link.contact is not None and link.contact.email_key for link in links if link.agreed.get("email")
    )
    client = client_of(crew.alice)
    assert {name: client.get(at).status_code for name, at in of_the_crm(acme).items()} == dict.fromkeys(
        of_the_crm(acme), 200
    )
    made = Company.objects.create(account=acme, name="One more")
    assert made.pk > max(link.company_id or 0 for link in Link.objects.all())
