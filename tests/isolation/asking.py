"""One request, and all that it comes to: the answer, its text, the tables it wrote."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from django.core import mail
from django.db import connection, transaction
from django.test import Client

from propolis.accounts.models import Membership
from tests.people import client_of

_WRITING = re.compile(r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)
# Sessions, and who was seen when, are kept for strangers too.
_EVERYBODYS = frozenset({"django_session", "usersessions_usersession", "propolis_cache"})


@dataclass(frozen=True)
class Answer:
    """`wrote`: the tables that rows were added to, changed or deleted in, and "mail" if any was sent.
    `seen`: what `look` saw before all was taken back; None where nothing was written. `looked`: how often anything
    looked at the address's query string."""

    status: int
    text: str
    location: str
    wrote: frozenset[str]
    seen: Any = None
    looked: int = 0


@dataclass
class Asker:
    """A person at a browser. Whatever a request does is taken back after it."""

    client: Client
    cookies: str = field(init=False)

    def __post_init__(self) -> None:
        self.client.raise_request_exception = False
        self.cookies = self.client.cookies.output(header="", sep=";")

    def ask(
        self,
        method: str,
        url: str,
        data: dict[str, Any] | None = None,
        look: Callable[[], Any] | None = None,
        follow: bool = False,
    ) -> Answer:
        self.client.cookies = SimpleCookie(self.cookies)
        place, sent = transaction.savepoint(), len(mail.outbox)
        with writes() as wrote:
            found: Any = (
                self.client.generic(method, url)
                if data is None
                else _form(self.client, method, url, data, follow)
            )
            text = _text(found)
        connection.needs_rollback = False
        seen = look() if look and wrote else None
        transaction.savepoint_rollback(place)
        told = {"mail"} if len(mail.outbox) > sent else set()
        wrote = wrote - _EVERYBODYS | told
        looked = found.wsgi_request.environ.looked
        return Answer(found.status_code, text, found.get("Location", ""), frozenset(wrote), seen, looked)


def asker(person: Membership | None, **how: Any) -> Asker:
    """As somebody who has looked around before: a first visit is noted, and would be noted anew by every request."""
    client = client_of(person, Plain(headers={"host": "127.0.0.1"}, **how))
    if person is not None:
        session = client.session
        session["seen"], session["account"] = time.time(), person.account.slug
        session.save()
    return Asker(client)


class Plain(Client):
    """Answers without the contexts of every template that drew them: half the time of a page of components."""

    def request(self, **request: Any) -> Any:
        answer = self.handler(Noting(self._base_environ(**request)))  # type: ignore[attr-defined]
        self.cookies.update(answer.cookies)
        return answer


class Noting(dict[str, Any]):
    """What a server hands over with a request; knows how often the query string was looked at."""

    looked = 0

    def __getitem__(self, key: str) -> Any:
        self.looked += key == "QUERY_STRING"
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.looked += key == "QUERY_STRING"
        return super().get(key, default)


def _form(client: Client, method: str, url: str, data: dict[str, Any], follow: bool) -> Any:
    return client.post(url, data, follow=follow) if method == "POST" else client.get(url, data)


def _text(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(body.decode(errors="replace"))


@contextmanager
def writes() -> Iterator[set[str]]:
    """The tables written while inside."""
    found: set[str] = set()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        told = _WRITING.match(sql)
        if told:
            found.add(told[1])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield found
