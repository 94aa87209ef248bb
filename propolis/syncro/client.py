"""Syncro's API, typed: the front door. Reading is retried, writing never (see `asking`)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

import httpx2

from propolis.syncro.address import checked_base_url
from propolis.syncro.asking import Asker, RequestLog, Stopping
from propolis.syncro.errors import Garbled, MissingPermission
from propolis.syncro.exchange import Answer, Asked, Bearer, Exchange, Params
from propolis.syncro.pacing import SYSTEM_CLOCK, Clock, Pacer
from propolis.syncro.paging import Page, PageReader
from propolis.syncro.parsing import (
    BadRecord,
    outline,
    parse_page,
    parse_record,
    parse_search,
    parse_users,
)
from propolis.syncro.permissions import PermissionResult, probe_all
from propolis.syncro.records import Contact, Customer, Lead, Me, SearchHit, Settings, Tabs, User, UserRef
from propolis.syncro.resources import Resource
from propolis.syncro.writing import Writing

USER_AGENT: Final = "Propolis CRM (self-hosted)"
MAX_BYTES: Final = 64 * 2**20
IDS_AT_ONCE: Final = 100
_NONE: Final[Params] = MappingProxyType({})


class SyncroClient(Writing):
    """One token at one Syncro account. Threads may share it; `pacer`, `on_request` and `should_stop` are
    called from several threads. Every method raises the errors of `propolis.syncro.errors` and no others.

    `priority` puts all its requests before those of imports (for a person who waits); writes always have it.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        pacer: Pacer,
        transport: httpx2.BaseTransport | None = None,
        clock: Clock = SYSTEM_CLOCK,
        user_agent: str = USER_AGENT,
        timeout: float = 60.0,
        max_bytes: int = MAX_BYTES,
        allow_plain_http: bool = False,
        priority: bool = False,
        on_request: Callable[[RequestLog], None] | None = None,
        should_stop: Stopping | None = None,
        first_pause: float = 1.0,
    ) -> None:
        bearer = Bearer(token.strip())
        self.base_url = checked_base_url(base_url, allow_plain_http=allow_plain_http)
        self._should_stop = should_stop
        self._exchange = Exchange(
            self.base_url,
            bearer,
            transport=transport,
            clock=clock,
            timeout=timeout,
            user_agent=user_agent,
            max_bytes=max_bytes,
        )
        asker = Asker(
            self._exchange,
            bearer,
            pacer=pacer,
            clock=clock,
            on_request=on_request,
            should_stop=should_stop,
            priority=priority,
            first_pause=first_pause,
        )
        super().__init__(asker)

    def __repr__(self) -> str:
        return f"<SyncroClient {self.base_url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._exchange.close()

    # ---- lists

    def pages(
        self,
        resource: Resource,
        params: Params = _NONE,
        *,
        start: int = 1,
        per_page: int | None = None,
        in_flight: int = 3,
    ) -> Generator[Page, None, None]:
        """Every page from `start` on, in order; the final one has `last`. Rows may come twice, none is left
        out of what Syncro lists. To go on after a page: `start=page.number + 1, per_page=page.per_page`.

        Customers that take too long (504, timeout) or are too large are asked for in pages half the size.
        """

        def fetch(number: int, size: int | None, stop: Stopping) -> Page:
            return self._page(resource, number, params, size, stop, can_shrink=(size or 2) > 1)

        reader = PageReader(
            fetch,
            resource,
            start=start,
            per_page=per_page,
            in_flight=in_flight,
            should_stop=self._should_stop,
        )
        return reader.pages()

    def page(
        self, resource: Resource, number: int, params: Params = _NONE, *, per_page: int | None = None
    ) -> Page:
        """One page, counted from 1. Past the end: an empty one with `last`."""
        return self._page(resource, number, params, per_page, None, can_shrink=False)

    def customers_by_ids(self, ids: Iterable[int]) -> list[Customer | BadRecord]:
        """Those of the ids that exist, disabled ones included, in no order; one request per 100 ids.

        Raises `Garbled` if Syncro does not heed the filter: absence would then prove nothing.
        """
        wanted = sorted(set(ids))
        found: list[Customer | BadRecord] = []
        for at in range(0, len(wanted), IDS_AT_ONCE):
            some = wanted[at : at + IDS_AT_ONCE]
            params: Params = {"id": [str(one) for one in some], "include_disabled": "true"}
            for page in self.pages(Resource.CUSTOMERS, params, per_page=IDS_AT_ONCE, in_flight=1):
                if not set(page.ids) <= set(some):
                    raise Garbled(detail="GET /customers?id[]: customers came that were not asked for")
                found.extend(parse_page(Resource.CUSTOMERS, page.raw))
        return found

    def contacts_of(self, customer_id: int) -> list[Contact | BadRecord]:
        """All contacts of one customer."""
        found: list[Contact | BadRecord] = []
        for page in self.pages(Resource.CONTACTS, {"customer_id": str(customer_id)}, in_flight=1):
            found.extend(parse_page(Resource.CONTACTS, page.raw))
        # Others' contacts, should the filter ever not be heeded, are not an answer.
        return [one for one in found if isinstance(one, BadRecord) or one.customer_id == customer_id]

    def autocomplete(self, query: str) -> list[Customer | BadRecord]:
        """Customers whose name, e-mail or phone begins like `query`; from a search index that may lag."""
        asked = Asked("GET", "/customers/autocomplete", {"query": query})
        return self._asker.ask(asked, lambda answer: parse_page(Resource.CUSTOMERS, answer.body))

    def search(self, query: str) -> list[SearchHit]:
        """Hits of every kind; from a search index that may lag behind writes."""
        asked = Asked("GET", "/search", {"query": query})
        return self._asker.ask(asked, lambda answer: parse_search(answer.body))

    # ---- single records

    def get_customer(self, id: int) -> Customer:
        """Raises `NotFound` when it was deleted or merged."""
        return self._get(Customer, Resource.CUSTOMERS, id)

    def get_contact(self, id: int) -> Contact:
        """Raises `NotFound` when it was deleted."""
        return self._get(Contact, Resource.CONTACTS, id)

    def get_lead(self, id: int) -> Lead:
        """Raises `NotFound` when there is none; a lead absent from the list may still be found here."""
        return self._get(Lead, Resource.LEADS, id)

    # ---- the account

    def users(self) -> list[UserRef]:
        """All users Syncro lists, in one request."""
        return self._asker.ask(Asked("GET", "/users"), lambda answer: parse_users(answer.body))

    def user(self, id: int) -> User:
        """One user with e-mail and group. Raises `NotFound`."""
        asked = Asked("GET", f"/users/{int(id)}", what=f"user {int(id)}")
        return self._asker.ask(asked, lambda answer: parse_record(User, answer.body, under="user", id=id))

    def me(self) -> Me:
        """Whose token this is, and the account's subdomain. Its secret `user_token` is not taken in."""
        return self._asker.ask(Asked("GET", "/me"), lambda answer: parse_record(Me, answer.body))

    def settings(self) -> Settings:
        """The account's time zone and what it demands of customers."""
        return self._asker.ask(
            Asked("GET", "/settings"), lambda answer: parse_record(Settings, answer.body, under="settings")
        )

    def tabs(self) -> Tabs:
        """Which parts of Syncro are switched on."""
        return self._asker.ask(
            Asked("GET", "/settings/tabs"), lambda answer: parse_record(Tabs, answer.body, under="tabs")
        )

    def check_permissions(self) -> list[PermissionResult]:
        """Five results, by reading only. Raises `BadToken`, and whatever else stands in the way of asking
        at all."""
        with suppress(MissingPermission):  # the reference states none for /me
            self.me()

        def ask(path: str, params: dict[str, str]) -> None:
            what = "newest customer" if path.endswith("/latest") else ""
            self._asker.ask(Asked("GET", path, params, what=what), lambda answer: None)

        return probe_all(ask)

    # ---- within

    def _page(
        self,
        resource: Resource,
        number: int,
        params: Params,
        size: int | None,
        stop: Stopping | None,
        *,
        can_shrink: bool,
    ) -> Page:
        query: dict[str, Any] = {**params, "page": str(number)}
        if size is not None:
            query["per_page"] = str(size)
        asked = Asked("GET", f"/{resource.value}", query, can_shrink=can_shrink and resource.can_shrink)
        return self._asker.ask(asked, lambda answer: _page_of(resource, number, size, answer), stop)


def _page_of(resource: Resource, number: int, size: int | None, answer: Answer) -> Page:
    told = outline(resource, answer.body)
    pages = told.total_pages
    return Page(
        resource=resource,
        number=number,
        per_page=told.page_size or max(size or resource.default_size, told.count),
        total_pages=pages,
        total_entries=told.total_entries,
        ids=told.ids,
        count=told.count,
        raw=answer.body,
        server_time=answer.server_time,
        last=told.count == 0 or (pages is not None and number >= pages),
    )
