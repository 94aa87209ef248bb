"""How values look: in tables, on profiles, in history. Text or safe HTML, nothing asked of the database."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

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


def phone_link(phone: str, key: str, extension: str = "") -> SafeString | str:
    """tel:, where the number is one."""
    shown = f"{phone} ext. {extension}" if extension and phone else phone
    return format_html('<a class="nowrap" href="tel:+{}">{}</a>', key, shown) if key else shown


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
