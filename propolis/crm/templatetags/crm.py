"""How the CRM's pages show values: amounts, links, the bar chart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from propolis.accounts.models import Account
from propolis.crm import cells
from propolis.crm.handing import SHARES
from propolis.crm.models import Company, Contact, Opportunity, OppStatus
from propolis.crm.paging import count_words
from propolis.crm.pipeline import Month, Stage

register = template.Library()

_BAR, _GAP, _WIDE = 22, 8, 320  # of the chart, in its own units


@register.filter
def amount(row: Opportunity, account: Account) -> str:
    """ "$18,400"; nothing for unknown."""
    return cells.money(row.amount, account.currency)


@register.filter
def how_many(count: int) -> str:
    """ "2,310", or "10,000+"."""
    return count_words(count)


@register.filter
def outcome_badge(status: OppStatus) -> SafeString:
    """Open, Won or Lost."""
    tone = {"won": "ok", "open": "brand"}.get(status.outcome, "")
    return cells.badge(status.get_outcome_display(), tone)


@register.filter
def handed(counts: Mapping[str, int]) -> str:
    """ "3 companies, 1 next step on a company": what of each part changed hands."""
    parts = [(counts[share.key], share) for share in SHARES if counts.get(share.key)]
    words = [f"{count:,} {share.one if count == 1 else share.label.lower()}" for count, share in parts]
    return ", ".join(words) or "nothing"


@register.filter
def singular(plural: str) -> str:
    """ "company" of "companies", "note" of "notes"."""
    return f"{plural[:-3]}y" if plural.endswith("ies") else plural.removesuffix("s")


@register.filter
def mail(email: str) -> SafeString | str:
    return cells.mail_link(email)


@register.filter
def phone(row: Company | Contact) -> SafeString | str:
    """The phone, else the mobile, as a link to call."""
    if row.phone:
        return cells.phone_link(row.phone, row.phone_key, getattr(row, "extension", ""))
    return cells.phone_link(row.mobile, row.mobile_key)


@register.simple_tag
def bar_chart(title: str, stages: Iterable[Stage]) -> SafeString:
    """Horizontal bars, one per status, lengths by number; the table beneath says the same in words."""
    listed = list(stages)
    most = max((stage.sums.count for stage in listed), default=0) or 1
    height = len(listed) * (_BAR + _GAP)
    bars = format_html_join(
        "",
        '<text class="chart-label" x="0" y="{}">{}</text>'
        '<rect class="chart-bar" x="120" y="{}" width="{}" height="{}" rx="3"></rect>'
        '<text class="chart-number" x="{}" y="{}">{}</text>',
        (
            (
                at * (_BAR + _GAP) + 15,
                stage.status.name[:18],
                at * (_BAR + _GAP),
                max(2, round((_WIDE - 160) * stage.sums.count / most)),
                _BAR,
                126 + max(2, round((_WIDE - 160) * stage.sums.count / most)),
                at * (_BAR + _GAP) + 15,
                f"{stage.sums.count:,}",
            )
            for at, stage in enumerate(listed)
        ),
    )
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        _WIDE,
        height,
        title,
        bars,
    )


_MONTH, _TALL, _COLUMN = 54, 110, 18


@register.simple_tag
def month_chart(title: str, months: Iterable[Month]) -> SafeString:
    """Two columns a month, won filled and lost outlined, each with its number; the table beneath says the same."""
    listed = list(months)
    most = max((max(m.won, m.lost) for m in listed), default=0) or 1
    columns = format_html_join("", "{}", ((_month(at, m, most),) for at, m in enumerate(listed)))
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<line class="chart-axis" x1="0" x2="{}" y1="{}" y2="{}"></line>{}</svg>',
        *(len(listed) * _MONTH, _TALL + 40, title, len(listed) * _MONTH, _TALL + 18, _TALL + 18),
        columns,
    )


def _month(at: int, month: Month, most: int) -> SafeString:
    left = at * _MONTH + (_MONTH - 2 * _COLUMN - 4) // 2
    bars = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="2"></rect>'
        '<text class="chart-number" text-anchor="middle" x="{}" y="{}">{}</text>',
        (
            (kind, x, _TALL + 18 - tall, _COLUMN, tall, x + _COLUMN // 2, _TALL + 13 - tall, f"{count:,}")
            for kind, x, count in (
                ("chart-won", left, month.won),
                ("chart-lost", left + _COLUMN + 4, month.lost),
            )
            if count and (tall := max(3, round(_TALL * count / most)))
        ),
    )
    label = '<text class="chart-label" text-anchor="middle" x="{}" y="{}">{}</text>'
    return bars + format_html(label, at * _MONTH + _MONTH // 2, _TALL + 34, f"{month.first:%b}")


class _Meta(template.Node):
    def __init__(self, nodes: template.NodeList, name: str) -> None:
        self.nodes, self.name = nodes, name

    def render(self, context: template.Context) -> str:
        context[self.name] = self.nodes.render(context)
        return ""


@register.tag
def meta(parser: template.base.Parser, token: template.base.Token) -> _Meta:
    """`{% meta as NAME %}…{% endmeta %}`: keeps what is between for an include."""
    _tag, _as, name = token.split_contents()
    nodes = parser.parse(("endmeta",))
    parser.delete_first_token()
    return _Meta(nodes, name)
