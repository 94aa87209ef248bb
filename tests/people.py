"""Alice owns (Admin), Bob helps (Salesperson), Mia does the mailings (Marketer), Charlie may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import make_password
from django.test import Client

from propolis.accounts.models import Account, Membership, User
from propolis.accounts.scoping import unscoped

PASSWORD = "violet tractor umbrella"
HASHED = make_password(PASSWORD)  # once: hashing is slow on purpose
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@dataclass(frozen=True)
class Crew:
    """One account and the people in it; Charlie is Admin of another, `elsewhere`."""

    account: Account
    alice: Membership
    bob: Membership
    mia: Membership
    elsewhere: Account
    charlie: Membership


def make_account(slug: str = "acme", name: str = "Acme Managed IT") -> Account:
    return Account.objects.create(slug=slug, name=name)


def make_person(account: Account, name: str, *role_types: str, email: str = "") -> Membership:
    """An active member who can sign in with PASSWORD; role_types: "Admin", "Marketer", "Salesperson"."""
    email = email or f"{name.split()[0].lower()}@{account.slug}.example"
    with unscoped():
        user = User.objects.filter(email=email).first()
        user = user or User.objects.create(email=email, password=HASHED, name=name)
        return Membership.objects.create(
            account=account,
            user=user,
            email_key=email,
            name=name,
            is_admin="Admin" in role_types,
            is_marketer="Marketer" in role_types,
            is_salesperson="Salesperson" in role_types,
            state=Membership.State.ACTIVE,
        )


def make_crew() -> Crew:
    acme, other = make_account(), make_account("umbel", "Umbel IT")
    return Crew(
        acme,
        make_person(acme, "Alice Moreau", "Admin"),
        make_person(acme, "Bob Tanaka", "Salesperson"),
        make_person(acme, "Mia Okafor", "Marketer"),
        other,
        make_person(other, "Charlie Voss", "Admin"),
    )


def client_of(person: Membership | None, client: Client | None = None) -> Client:
    """A test client (or this one) signed in as the person, or as nobody."""
    client = client or Client(headers={"host": "127.0.0.1"})
    if person is not None:
        assert person.user is not None
        client.force_login(person.user, backend=BACKEND)
    return client


def text(response: Any) -> str:
    """The page on one line, so that a sentence is found however its template is folded."""
    return " ".join(response.content.decode().split())
