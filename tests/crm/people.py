"""An MSP with three people: Alice owns (Admin), Bob helps (Salesperson), Charlie may not sign in."""

from dataclasses import dataclass

from propolis.accounts.models import Account, Membership, User
from propolis.accounts.scoping import in_account
from propolis.crm.models import DEFAULT_STATUSES, OppStatus


@dataclass
class Msp:
    account: Account
    alice: Membership
    bob: Membership
    charlie: Membership

    def status(self, name: str) -> OppStatus:
        return OppStatus.objects.get(name=name)


def make_msp(slug: str = "acme") -> Msp:
    account = Account.objects.create(slug=slug, name=slug.title(), phone_region="US")
    with in_account(account):
        for position, (name, outcome) in enumerate(DEFAULT_STATUSES):
            OppStatus.objects.get_or_create(
                account=account, name=name, defaults={"position": position, "outcome": outcome}
            )
        made = [
            _member(account, slug, "Alice Admin", is_admin=True),
            _member(account, slug, "Bob Seller", is_salesperson=True),
            _member(account, slug, "Charlie Nobody", state=Membership.State.LINKED),
        ]
    return Msp(account, *made)


def _member(
    account: Account,
    slug: str,
    name: str,
    state: Membership.State = Membership.State.ACTIVE,
    **roles: bool,
) -> Membership:
    email = f"{name.split()[0].lower()}@{slug}.example"
    user = User.objects.create_user(email, name=name)
    return Membership.objects.create(
        account=account, user=user, email_key=email, name=name, state=state, **roles
    )
