"""How values look: in tables, on profiles, in history. Text or safe HTML, nothing asked of the database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from propolis.accounts.models import Account
from propolis.crm import keys
from propolis.crm.fields import Shape
from propolis.merge.evidence import Doubt, Rule

_BY_PHONE = (Rule.SAME_PHONE, Doubt.PHONE_ALONE)
_SIGNS = {"USD": "$", "CAD": "CA$", "AUD": "A$", "NZD": "NZ$", "EUR": "€", "GBP": "£"}


def money(amount: Decimal | None, currency: str) -> str:
    """ "$18,400" or "CHF 18,400.50"; "" for unknown, never 0."""
    if amount is None:
        return ""
    whole = amount == amount.to_integral_value()
    figure = intcomma(f"{amount:.0f}" if whole else f"{amount:.2f}", use_l10n=False)
    sign = _SIGNS.get(currency)
    return f"{sign}{figure}" if sign else f"{currency} {figure}"


def day(value: date | datetime | None) -> str:
    """ "22 Nov", with the year where it is not this one."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    words = f"{value.day} {value:%b}"
    return words if value.year == timezone.localdate().year else f"{words} {value.year}"


def when(value: datetime | None) -> SafeString | str:
    """ "22 Nov, 14:22" in the reader's time zone, exact on hover."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    return format_html('<time datetime="{}">{}, {}</time>', value.isoformat(), day(value), f"{local:%H:%M}")


def mail_link(email: str) -> SafeString | str:
    """mailto:, where the text is one plain address."""
    text = email.strip()
    if text.count("@") != 1 or any(c in text for c in ' ,;<>?&"'):
        return email
    return format_html('<a href="mailto:{}">{}</a>', text, text)


def told(shape: Shape, value: Any, account: Account) -> str:
    """A value as history keeps it (plain text or a number), in words; "" for blank."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    text = str(value)
    try:
        if shape is Shape.MONEY:
            return money(Decimal(text), account.currency)
        if shape is Shape.DATE:
            return day(date.fromisoformat(text[:10]))
        if shape is Shape.INSTANT:
            return day(datetime.fromisoformat(text))
    except (ArithmeticError, ValueError):
        return text
    if shape is Shape.PHONE:
        return phone_words(text, account.phone_region)
    return f"{text} %" if shape is Shape.PERCENT else text


def apart(words: tuple[str, str], before: Any, after: Any) -> tuple[str, str]:
    """Two values in these words; as they are kept where the words look the same, as of a number typed anew."""
    return words if words[0] != words[1] else (str(before or ""), str(after or ""))


def phone_words(phone: str, region: str) -> str:
    """Bare digits grouped as people read them; a typed grouping stays."""
    key = keys.phone_key(phone, region) if phone.isdigit() else ""
    return _grouped(key) if key else phone


def evidence_words(told: Mapping[str, Any]) -> str:
    """What a match rests on; a number is kept as the digits that were compared."""
    detail = str(told.get("detail", ""))
    return _grouped(detail) if told.get("rule") in _BY_PHONE and detail.isdigit() else detail


def phone_link(phone: str, key: str, extension: str = "") -> SafeString | str:
    """tel:, where the number is one. Bare digits are grouped as people read them; a typed grouping stays."""
    shown = _grouped(key) if key and phone.isdigit() else phone
    if extension and phone and not _ends_in(phone, extension):
        shown = f"{shown} ext. {extension}"
    return format_html('<a class="nowrap" href="tel:+{}">{}</a>', key, shown) if key else shown


@lru_cache(maxsize=4096)
def _grouped(key: str) -> str:
    """ "(206) 555-0142" for +1, with the country code for all others."""
    import phonenumbers

    try:
        number = phonenumbers.parse(f"+{key}")
    except phonenumbers.NumberParseException:
        return key
    form = phonenumbers.PhoneNumberFormat
    at_home = number.country_code == 1
    return phonenumbers.format_number(number, form.NATIONAL if at_home else form.INTERNATIONAL)


def _ends_in(phone: str, extension: str) -> bool:
    """The extension is already typed behind the number: "206-555-0142 x12"."""
    return re.search(rf"{keys.EXTENSION_MARK}{re.escape(extension)}\s*$", phone, re.IGNORECASE) is not None


def website_link(website: str, domain: str) -> SafeString | str:
    """https, to a site whose domain was understood; never any other scheme."""
    text = website.strip()
    if not text or not domain or any(c.isspace() for c in text):
        return website
    href = text if text.lower().startswith(("https://", "http://")) else f"https://{text}"
    return format_html('<a href="{}" rel="noopener noreferrer external" target="_blank">{}</a>', href, text)


def badge(words: str, tone: str = "") -> SafeString:
    """tone: ok | warn | bad | brand or none."""
    return format_html('<span class="badge {}">{}</span>', tone, words)


def link(href: str, words: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', href, words)
