"""How the CRM's pages show values: amounts, links, the bar chart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from propolis.accounts.models import Account
from propolis.crm import cells
from propolis.crm.models import Contact, Opportunity

register = template.Library()

_BAR, _GAP, _WIDE = 22, 8, 320  # of the chart, in its own units


@register.filter
def amount(row: Opportunity, account: Account) -> str:
    """ "$18,400"; nothing for unknown."""
    return cells.money(row.amount, account.currency)


@register.filter
def mail(email: str) -> SafeString | str:
    return cells.mail_link(email)


@register.filter
def phone(row: Contact) -> SafeString | str:
    """The phone, else the mobile, as a link to call."""
    if row.phone:
        return cells.phone_link(row.phone, row.phone_key, row.extension)
    return cells.phone_link(row.mobile, row.mobile_key)


@register.simple_tag
def bar_chart(title: str, stages: Iterable[tuple[Any, str]]) -> SafeString:
    """Horizontal bars, one per status, lengths by number; the table beneath says the same in words."""
    listed = [stage for stage, _words in stages]
    most = max((stage.count for stage in listed), default=0) or 1
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
                max(2, round((_WIDE - 160) * stage.count / most)),
                _BAR,
                126 + max(2, round((_WIDE - 160) * stage.count / most)),
                at * (_BAR + _GAP) + 15,
                f"{stage.count:,}",
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
