"""Step 2, "Map users and invite users"."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts import invitations
from propolis.accounts.addressing import typed_id, url
from propolis.accounts.models import Membership
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.accounts.user_views import report
from propolis.bridge import connecting, people
from propolis.bridge.models import Connection, RemoteUser, connection_of
from propolis.bridge.roles import ROLES
from propolis.bridge.steps import Step, waits_for
from propolis.bridge.user_rows import roster
from propolis.bridge.vault import TokenUnreadable
from propolis.bridge.views_wizard import sent_back, step_is_open, step_page
from propolis.syncro import BadToken, SyncroClient, SyncroError

# Users asked about in one web request; the page goes on by itself until all are.
PORTION = 8
NO_TYPES = "No Types"
# As the row's hidden field says it.
NOBODY_YET = "nobody"
NOTHING_TICKED = "Nothing to import: tick role types, or No Types, first."
ALL_THERE = "Nobody to import: these users are imported already, or left out. Change them row by row."
NOBODY = "Nobody is ticked, so nobody was invited. Somebody with No Types needs a role first."


@needs(Verb.IMPORT)
def page(request: AccountRequest, account: str) -> HttpResponse:
    connection = connection_of(request.account)
    if connection is None or waits_for(connection, Step.USERS):
        return step_page(request, "bridge/locked.html", Step.USERS, connection)
    if connection.users_read_at:
        people.remember_waiting(connection)
    words = {"roster": roster(connection, request.membership), "roles": ROLES, "no_types": NO_TYPES}
    return step_page(request, "bridge/users.html", Step.USERS, connection, words)


@needs(Verb.IMPORT)
@require_POST
@step_is_open(Step.USERS)
def read(request: AccountRequest, account: str) -> HttpResponse:
    """Reads the list of users; the page then asks for their details, portion by portion."""
    connection = _connection(request)
    try:
        with _client(connection) as client:
            people.list_users(connection, client)
            waiting = people.read_details(connection, client, at_most=PORTION)
    except (SyncroError, TokenUnreadable) as error:
        return _trouble(request, connection, error)
    if not waiting:
        _say_linked(request, people.relink_by_email(connection))
    return redirect(url(request, "bridge:users"))


@needs(Verb.IMPORT)
@require_POST
@step_is_open(Step.USERS)
def details(request: AccountRequest, account: str) -> HttpResponse:
    """The next portion: the bar moved on, and at the end the whole page anew."""
    connection = _connection(request)
    try:
        with _client(connection) as client:
            waiting = people.read_details(connection, client, at_most=PORTION)
    except (SyncroError, TokenUnreadable) as error:
        return _trouble(request, connection, error)
    if waiting and request.htmx:
        return render(request, "bridge/users_reading.html", {"reading": _reading(connection)})
    if not waiting:
        _say_linked(request, people.relink_by_email(connection))
    return _to_users(request)


def _client(connection: Connection) -> SyncroClient:
    """For a person who waits."""
    return connecting.client_for(connection, should_stop=connecting.patience(), priority=True)


def _reading(connection: Connection) -> dict[str, int]:
    listed = RemoteUser.objects.filter(connection=connection, left_at=None)
    return {"all": listed.count(), "done": listed.exclude(read_at=None).count()}


def _to_users(request: AccountRequest) -> HttpResponse:
    address = url(request, "bridge:users")
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def _trouble(
    request: AccountRequest, connection: Connection, error: SyncroError | TokenUnreadable
) -> HttpResponse:
    if isinstance(error, BadToken):
        connecting.token_died(connection, error)
        return sent_back(request, Step.CONNECTION, error.sentence)
    sentence = connecting.as_told(error).sentence if isinstance(error, SyncroError) else error.sentence
    return sent_back(request, Step.USERS, sentence)


def _say_linked(request: AccountRequest, linked: int) -> None:
    if linked:
        noun = "user" if linked == 1 else "users"
        messages.success(request, f"{linked} {noun} linked by e-mail.")


@needs(Verb.IMPORT)
@require_POST
@step_is_open(Step.USERS, talks=False)
def roles(request: AccountRequest, account: str) -> HttpResponse:
    """ "Import users as": all, a group, or row by row as ticked."""
    connection = _connection(request)
    given = request.POST
    wanted = _by_scope(connection, given) if "scope" in given else _by_row(connection, given)
    if not wanted:
        everybody = "scope" in given and _ticked(given.getlist("roles")) is not None
        messages.warning(request, ALL_THERE if everybody else NOTHING_TICKED)
        return redirect(url(request, "bridge:users"))
    told = people.apply_roles(connection, wanted, by=request.membership)
    for sentence in told.refused:
        messages.error(request, sentence)
    messages.success(request, _said(told))
    return redirect(url(request, "bridge:users"))


def _said(told: people.Applied) -> str:
    noun = "user" if told.made == 1 else "users"
    others = told.changed or told.attached
    parts = [f"{told.made} {noun} imported"] if told.made or not others else []
    if told.changed:
        parts.append(f"role types of {told.changed} changed")
    if told.attached:
        nouns = "opportunity" if told.attached == 1 else "opportunities"
        parts.append(f"{told.attached} {nouns} linked to their salesperson")
    sentence = ", ".join(parts) + "."
    return sentence[0].upper() + sentence[1:]


def _ticked(names: list[str]) -> frozenset[str] | None:
    """The role types ticked; none at all is no answer, "No Types" is an empty one."""
    chosen = frozenset(name for name in names if name in ROLES)
    return chosen if chosen or NO_TYPES in names else None


def _by_scope(connection: Connection, given: QueryDict) -> dict[int, frozenset[str]]:
    """Everybody, or a group, who is not imported yet and not left out."""
    chosen = _ticked(given.getlist("roles"))
    rows = RemoteUser.objects.filter(connection=connection, left_at=None, membership=None)
    rows = rows.exclude(choice="leave_out")
    scope = str(given["scope"])
    if scope != "all":
        rows = rows.filter(group=scope.removeprefix("group:"))
    return {} if chosen is None else dict.fromkeys(rows.values_list("pk", flat=True), chosen)


def _by_row(connection: Connection, given: QueryDict) -> dict[int, frozenset[str]]:
    """Rows whose ticks differ from what the page showed. What somebody else gave or took meanwhile stays so."""
    found = {}
    for row in RemoteUser.objects.filter(connection=connection).select_related("membership"):
        if f"row-{row.pk}" not in given:
            continue
        held = frozenset(row.membership.role_types) if row.membership else None
        shown = _shown(given[f"shown-{row.pk}"]) if f"shown-{row.pk}" in given else held
        chosen = _ticked(given.getlist(f"roles-{row.pk}"))
        if chosen is None and shown is not None:
            chosen = frozenset()
        if chosen is None or chosen == shown:
            continue
        before = shown or frozenset()
        wanted = ((held or frozenset()) | (chosen - before)) - (before - chosen)
        if wanted != held:
            found[row.pk] = wanted
    return found


def _shown(text: object) -> frozenset[str] | None:
    """The role types a row had when its page was made; None while it stood for nobody here."""
    return None if text == NOBODY_YET else frozenset(str(text).split(",")) & frozenset(ROLES)


@needs(Verb.IMPORT)
@step_is_open(Step.USERS, talks=False)
def match(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    """One user by hand: by e-mail, a person here, or left out."""
    row = get_object_or_404(RemoteUser.objects.select_related("connection", "membership"), pk=pk)
    if request.method != "POST":
        others = Membership.objects.exclude(state=Membership.State.DISABLED).order_by("name")
        return render(request, "bridge/user_match.html", {"row": row, "people": list(others)})
    choice = request.POST.get("choice", "")
    if choice == "leave_out":
        people.leave_out(row)
        messages.success(request, f"{row.name} is left out.")
    elif choice == "auto":
        found = people.link_by_email(row)
        messages.success(request, f"{row.name} is {'linked' if found else 'not linked'} by e-mail.")
    elif (chosen := typed_id(choice)) is not None:
        person = get_object_or_404(Membership, pk=chosen)
        people.link_by_hand(row, person)
        messages.success(request, f"{row.name} in Syncro is {person} here.")
    return redirect(url(request, "bridge:users"))


@needs(Verb.IMPORT)
@require_POST
@step_is_open(Step.USERS, talks=False)
def me(request: AccountRequest, account: str) -> HttpResponse:
    """ "Is this you?" Yes."""
    row = people.suggestion(_connection(request), request.membership)
    if row is not None:
        people.link_by_hand(row, request.membership)
        messages.success(request, f"{row.name} in Syncro is you.")
    return redirect(url(request, "bridge:users"))


@needs(Verb.IMPORT)
@require_POST
@step_is_open(Step.USERS, talks=False)
def relink(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    """One click: the user is a Salesperson here from now on, and gets the opportunities that waited for them."""
    row = get_object_or_404(RemoteUser.objects.select_related("connection", "membership"), pk=pk)
    if row.membership is not None and row.membership.state == Membership.State.DISABLED:
        sentence = (
            f"{row.membership} is disabled here. Give the opportunities to somebody else, or enable them."
        )
        return sent_back(request, Step.USERS, sentence)
    held = set(row.membership.role_types) if row.membership else set()
    told = people.apply_roles(row.connection, {row.pk: held | {"Salesperson"}}, by=request.membership)
    for sentence in told.refused:
        messages.error(request, sentence)
    if not told.refused:
        noun = "opportunity" if told.attached == 1 else "opportunities"
        messages.success(request, f"{row.name} is a Salesperson here; {told.attached} {noun} linked.")
    back = typed_id(request.POST.get("opportunity"))
    return redirect(url(request, "bridge:users") if back is None else url(request, "crm:opportunity", back))


@needs(Verb.IMPORT)
@step_is_open(Step.USERS, talks=False)
def hand_over(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    """ "Give Sam's 14 open opportunities to …"."""
    row = get_object_or_404(RemoteUser, pk=pk)
    sellers = Membership.objects.filter(is_salesperson=True).exclude(state=Membership.State.DISABLED)
    sellers = sellers.exclude(pk=row.membership_id or 0).order_by("name")
    if request.method != "POST":
        count = people.open_opportunities_of(row).count()
        words = {"row": row, "count": count, "sellers": list(sellers)}
        return render(request, "bridge/user_hand_over.html", words)
    to = get_object_or_404(sellers, pk=typed_id(request.POST.get("to")) or 0)
    count = people.hand_over(row, to, by=request.membership)
    noun = "opportunity" if count == 1 else "opportunities"
    messages.success(request, f"{count} open {noun} of {row.name} given to {to}.")
    return redirect(url(request, "bridge:users"))


@needs(Verb.USERS)
@step_is_open(Step.USERS, talks=False)
def invite(request: AccountRequest, account: str) -> HttpResponse:
    """GET `?person=1&person=2` names who would be invited; POST sends. Both link by e-mail first."""
    for told in filter(None, [ask(request.account) for ask in invitations.before_inviting]):
        messages.info(request, told)
    chosen = request.POST.getlist("person") or request.GET.getlist("person")
    ready = [person for person in _invitable(chosen) if person.role_types]
    if request.method == "POST" and ready:
        report(request, invitations.invite(ready, request.membership))
        return redirect(url(request, "bridge:users"))
    if ready:
        return render(request, "bridge/users_invite.html", {"people": ready})
    messages.warning(request, NOBODY)
    return redirect(url(request, "bridge:users"))


def _invitable(chosen: list[str]) -> list[Membership]:
    states = [Membership.State.LINKED, Membership.State.INVITED]
    pks = [pk for pk in map(typed_id, chosen) if pk is not None]
    return list(Membership.objects.filter(pk__in=pks, state__in=states).order_by("name"))


@needs(Verb.USERS)
@require_POST
def copy_link(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    """A fresh link, shown once; the one sent before stops working. `pk`: of the Membership."""
    get_object_or_404(Membership, pk=pk)
    person = next(iter(_invitable([str(pk)])), None)
    if person is None or not person.role_types:
        return sent_back(request, Step.USERS, "Give a role first: without one nobody can sign in.")
    link = invitations.new_link(person, request.membership)
    return render(request, "bridge/user_link.html", {"person": person, "link": link})


@needs(Verb.USERS)
@require_POST
def revoke(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    """Ends an invitation. `pk`: of the Membership."""
    person = get_object_or_404(Membership, pk=pk)
    if invitations.revoke(person, request.membership):
        messages.success(request, f"The invitation of {person} is revoked. Its link no longer works.")
    return redirect(url(request, "bridge:users"))


def _connection(request: AccountRequest) -> Connection:
    connection = connection_of(request.account)
    assert connection is not None
    return connection
