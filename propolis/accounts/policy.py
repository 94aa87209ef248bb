"""Who may do what: one table, enforced by `@needs`, shown by `may.X` in templates.

`python -m propolis.accounts.policy > docs/permissions.md` writes the page; a test keeps it equal.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase, HttpResponseNotAllowed

if TYPE_CHECKING:
    from propolis.accounts.models import Membership
    from propolis.accounts.requests import AccountRequest

P = ParamSpec("P")

# A page shows or takes a form; what else HTTP knows would be answered as if it were GET.
PAGE_METHODS = ("GET", "HEAD", "POST")


class RoleType(enum.StrEnum):
    ADMIN = "Admin"
    MARKETER = "Marketer"
    SALESPERSON = "Salesperson"


@dataclass(frozen=True)
class Rule:
    """`words` completes "Only an Admin can …"; `page` is the table's line in the documentation."""

    words: str
    page: str
    holders: frozenset[RoleType]


def _rule(words: str, page: str, *holders: RoleType) -> Rule:
    return Rule(words, page, frozenset(holders))


_ADMIN, _MARKETER, _SALES = RoleType.ADMIN, RoleType.MARKETER, RoleType.SALESPERSON


class Verb(enum.Enum):
    """Everything the server asks about; the value is its rule.

    What one person did is undone by that person (UNDO_OWN, the view compares) or whoever has UNDO_OTHERS.
    """

    SEE = _rule("see this account", "See companies, contacts, lists, opportunities and the dashboard",
                _ADMIN, _MARKETER, _SALES)  # fmt: skip
    EDIT_CRM = _rule("change companies and contacts", "Add, edit, merge and delete companies and contacts",
                     _ADMIN, _MARKETER, _SALES)  # fmt: skip
    UNDO_OWN = _rule(
        "undo this", "Undo one's own edit, merge, delete or CSV import", _ADMIN, _MARKETER, _SALES
    )
    UNDO_OTHERS = _rule("undo what somebody else did", "Undo what somebody else edited, merged, deleted, handed "
                        "over or imported from CSV", _ADMIN)  # fmt: skip
    OPPORTUNITIES = _rule("change opportunities", "Add, edit, move and delete opportunities", _ADMIN, _SALES)
    LIST_MEMBERS = _rule("put contacts on lists", "Put contacts on lists and take them off",
                         _ADMIN, _MARKETER, _SALES)  # fmt: skip
    LISTS = _rule("change lists", "Make, rename and delete lists; unsubscribe and re-subscribe addresses",
                  _ADMIN, _MARKETER)  # fmt: skip
    EXPORT = _rule("export", "Export tables and mailing lists as CSV", _ADMIN, _MARKETER)
    CSV_IMPORT = _rule("import a CSV file", "Import companies and contacts from CSV", _ADMIN, _MARKETER)
    SEND = _rule("send to Syncro", "Send to Syncro", _ADMIN, _SALES)
    CONNECT = _rule("connect Syncro", "Connect Syncro, replace its token, disconnect", _ADMIN)
    IMPORT = _rule("import", "Map users and statuses, import from Syncro, decide what needs review", _ADMIN)
    UNDO_RUN = _rule("undo an import", "Undo an import from Syncro", _ADMIN)
    BACKUP = _rule("make and download backups", "Make, verify and download backups", _ADMIN)
    RESTORE = _rule("restore a backup", "Restore a backup", _ADMIN)
    USERS = _rule("invite and change users", "Invite, change and disable users", _ADMIN)
    AUDIT = _rule("read the audit log", "Read and export the audit log", _ADMIN)
    SETTINGS = _rule("change account settings", "Change the account's name, time zone, statuses and rules",
                     _ADMIN)  # fmt: skip


def held_by(membership: Membership) -> frozenset[RoleType]:
    """Role types in force: none unless the person may sign in."""
    if not membership.may_sign_in:
        return frozenset()
    return frozenset(RoleType(name) for name in membership.role_types)


def may(membership: Membership | None, verb: Verb) -> bool:
    return membership is not None and bool(held_by(membership) & verb.value.holders)


def who_can(verb: Verb, names: list[str] | None = None) -> str:
    """ "Only an Admin can import. Ask Dana Whitfield." `names`: people to ask, the first three are named."""
    kinds = [f"{'an' if r is RoleType.ADMIN else 'a'} {r}" for r in RoleType if r in verb.value.holders]
    sentence = f"Only {_joined(kinds)} can {verb.value.words}."
    return f"{sentence} Ask {_joined(names[:3])}." if names else sentence


def _joined(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def people_who_can(verb: Verb) -> list[str]:
    """Names of those in the current account who may, Admins first."""
    from propolis.accounts.models import Membership

    able = [m for m in Membership.objects.filter(state=Membership.State.ACTIVE) if may(m, verb)]
    return [str(m) for m in sorted(able, key=lambda m: (not m.is_admin, str(m)))]


def refusal(verb: Verb) -> str:
    """The sentence for somebody in the current account who may not."""
    return who_can(verb, people_who_can(verb))


def needs(
    verb: Verb,
) -> Callable[
    [Callable[Concatenate[AccountRequest, P], HttpResponseBase]],
    Callable[Concatenate[AccountRequest, P], HttpResponseBase],
]:
    """A page only those who may reach; others meet 403 and the sentence saying who can."""

    def decorate(
        view: Callable[Concatenate[AccountRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[AccountRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: AccountRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not may(getattr(request, "membership", None), verb):
                raise PermissionDenied(refusal(verb))
            if request.method not in PAGE_METHODS:
                return HttpResponseNotAllowed(PAGE_METHODS)
            return view(request, *args, **kwargs)

        needed: Any = guarded
        needed.needs = verb
        return guarded

    return decorate


def as_markdown() -> str:
    """docs/permissions.md."""
    lines = [
        "# Who may do what",
        "",
        "Made from `propolis/accounts/policy.py` (`python -m propolis.accounts.policy`); the server asks the",
        'same table. A person may hold several role types. "No Types" cannot sign in.',
        "",
        "| | " + " | ".join(RoleType) + " |",
        "|---|" + "---|" * len(RoleType),
    ]
    for verb in Verb:
        marks = ["yes" if role in verb.value.holders else "" for role in RoleType]
        lines.append(f"| {verb.value.page} | " + " | ".join(marks) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(as_markdown())
