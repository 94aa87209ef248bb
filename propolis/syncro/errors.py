"""What can go wrong with Syncro, named by what the caller must do.

    SyncroError
    ├── Stop                  a person must change something; trying again gives the same
    │   ├── BadAddress        syncro.bad_address         what was typed is no Syncro address
    │   ├── WrongAddress      syncro.wrong_address       nothing of Syncro's answers there (DNS, TLS, 404)
    │   ├── NotSyncro         syncro.not_syncro          something else answers there (web page, redirect)
    │   ├── BadToken          syncro.bad_token           401 with anything but "Not authorized"
    │   ├── MissingPermission syncro.missing_permission  401 "Not authorized", 403; `.permission` names it
    │   ├── LeadsOff          syncro.leads_off           the Leads module is switched off
    │   └── TooLarge          syncro.too_large           an answer beyond the size we read
    ├── TryLater              the same request may well succeed later; nothing was changed
    │   ├── RateLimited       syncro.rate_limited        429: not executed; `.retry_after` in seconds, or None
    │   ├── ServerTrouble     syncro.server_trouble      5xx; `.status`
    │   ├── NoAnswer          syncro.no_answer           not reached, or no answer in time; `.slow` if in time
    │   ├── Garbled           syncro.garbled             an answer that is not what Syncro documents
    │   │   ├── WebPage       syncro.web_page            200 with HTML: sign-in or maintenance page
    │   │   ├── CutOff        syncro.cut_off             JSON that stops in the middle
    │   │   └── EmptyAnswer   syncro.empty_answer        nothing, or `null`
    │   └── Interrupted       syncro.interrupted         we were asked to stop
    ├── SkipRecord            this one record cannot; the rest can
    │   ├── NotFound          syncro.not_found           404 for one record, or a PUT that names no record
    │   └── Refused           syncro.refused             400, 422, `success: false`; `.fields`, `.sentences`
    └── OutcomeUnknown        syncro.outcome_unknown     a write that may have arrived: look before resending

`sentence` is for the person, `detail` for the operator (no secrets), `code` never changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

_LONGEST_FACT = 300


class SyncroError(Exception):
    """Any failure of a conversation with Syncro. `str()` gives the sentence."""

    code: ClassVar[str] = "syncro.error"
    template: ClassVar[str] = "Something went wrong between Propolis and Syncro. Try again in a few minutes."

    def __init__(self, *, detail: str = "", status: int | None = None, **facts: str) -> None:
        self.status = status
        self.detail = detail
        self.facts = {key: value[:_LONGEST_FACT] for key, value in facts.items()}
        self.sentence = self.template.format(**self.facts)
        super().__init__(self.sentence)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.code} status={self.status}>"


class Stop(SyncroError):
    """A person must change something first."""

    code = "syncro.stop"


class BadAddress(Stop):
    code = "syncro.bad_address"
    template = (
        '"{given}" is not a Syncro address. Give the first part of the address you sign in to, '
        "such as acme of acme.syncromsp.com."
    )


class WrongAddress(Stop):
    code = "syncro.wrong_address"
    template = (
        "There is no Syncro at {host}. Check the subdomain: it is the first part of the address you use "
        "to sign in to Syncro."
    )


class NotSyncro(Stop):
    code = "syncro.not_syncro"
    template = (
        "{host} answers, but not as Syncro does. Check the subdomain: it is the first part of the address "
        "you use to sign in to Syncro."
    )


class BadToken(Stop):
    code = "syncro.bad_token"
    template = (
        "Syncro did not accept the API token. It may have expired or been removed: make a new one in Syncro "
        "(Admin > API Tokens) and save it under Connection."
    )


class MissingPermission(Stop):
    """`permission` is the name Syncro's token page uses, or "" where the reference knows none."""

    code = "syncro.missing_permission"
    template = (
        "The API token lacks {named}. Make a token with it in Syncro (Admin > API Tokens) "
        "and save it under Connection."
    )

    def __init__(self, permission: str = "", *, detail: str = "", status: int | None = None) -> None:
        self.permission = permission
        named = f'the permission "{permission}"' if permission else "a permission this needs"
        super().__init__(detail=detail, status=status, named=named)


class LeadsOff(Stop):
    code = "syncro.leads_off"
    template = (
        "This Syncro account does not offer Leads. Switch the Leads module on in Syncro "
        "(Admin > Leads - Preferences), then try again."
    )


class TooLarge(Stop):
    code = "syncro.too_large"
    template = (
        "An answer from Syncro was larger than {limit} and was not read. Tell the operator of Propolis: "
        "PROPOLIS_ANSWER_MOST_MB raises the limit."
    )


TRY_LATER: Final = "Try again in a few minutes; an import goes on by itself."
"""To whoever asked by hand; an import that waits says only that it goes on."""


class TryLater(SyncroError):
    """The same request may succeed later. Nothing was changed in Syncro."""

    code = "syncro.try_later"


class RateLimited(TryLater):
    """`retry_after`: the seconds Syncro asked for, None where it named none."""

    code = "syncro.rate_limited"
    template = "Syncro had too many requests from this address (it allows 180 a minute). " + TRY_LATER

    def __init__(self, retry_after: float | None = None, *, detail: str = "", status: int = 429) -> None:
        self.retry_after = retry_after
        super().__init__(detail=detail, status=status)


class ServerTrouble(TryLater):
    code = "syncro.server_trouble"
    template = "Syncro had trouble of its own (error {number}). " + TRY_LATER

    def __init__(self, status: int, *, detail: str = "") -> None:
        super().__init__(detail=detail, status=status, number=str(status))


class NoAnswer(TryLater):
    """`slow`: the request was sent and no answer came in time (a smaller page may help)."""

    code = "syncro.no_answer"
    template = "Syncro could not be reached, or did not answer in time. " + TRY_LATER

    def __init__(self, *, detail: str = "", slow: bool = False) -> None:
        self.slow = slow
        super().__init__(detail=detail)


class Garbled(TryLater):
    code = "syncro.garbled"
    template = "Syncro answered with something unexpected. " + TRY_LATER


class WebPage(Garbled):
    code = "syncro.web_page"
    template = "Syncro answered with a web page instead of data: it may be under maintenance. " + TRY_LATER


class CutOff(Garbled):
    code = "syncro.cut_off"
    template = "Syncro's answer stopped in the middle. " + TRY_LATER


class EmptyAnswer(Garbled):
    code = "syncro.empty_answer"
    template = "Syncro's answer was empty. " + TRY_LATER


class Interrupted(TryLater):
    code = "syncro.interrupted"
    template = "The work was asked to stop. It goes on from where it was when it is started again."


class SkipRecord(SyncroError):
    """This one record cannot; the rest can."""

    code = "syncro.skip_record"


class NotFound(SkipRecord):
    code = "syncro.not_found"
    template = "Syncro has no {what}: it was deleted or merged there, or this token may not see it."


class Refused(SkipRecord):
    """`fields`: Syncro's messages by field, "" for those about no field. `sentences`: all of them, in
    order."""

    code = "syncro.refused"
    template = "Syncro refused: {reasons}"

    def __init__(
        self,
        fields: Mapping[str, list[str]],
        sentences: list[str],
        *,
        detail: str = "",
        status: int | None = None,
    ) -> None:
        self.fields = dict(fields)
        self.sentences = list(sentences)
        reasons = " ".join(sentences) or "it did not say why."
        super().__init__(detail=detail, status=status, reasons=reasons)


class OutcomeUnknown(SyncroError):
    """The write may or may not have been executed; look it up before sending again."""

    code = "syncro.outcome_unknown"
    template = (
        "No clear answer came from Syncro: what was sent may or may not have arrived. "
        "Look in Syncro before sending it again."
    )


def is_too_much(error: SyncroError) -> bool:
    """True where asking for less may help: too slow for the load balancer, too slow for us, or too large."""
    if isinstance(error, ServerTrouble):
        return error.status == 504
    return isinstance(error, TooLarge) or (isinstance(error, NoAnswer) and error.slow)


def error_classes() -> Iterator[type[SyncroError]]:
    """Every class of the tree that is raised, in the order of the drawing."""
    yield from _leaves_and_concrete(SyncroError)


def _leaves_and_concrete(parent: type[SyncroError]) -> Iterator[type[SyncroError]]:
    for child in parent.__subclasses__():
        if child not in (Stop, TryLater, SkipRecord):
            yield child
        yield from _leaves_and_concrete(child)
