"""The frame itself: pages for when things go wrong, forms, escaping, the registries."""

from django import forms
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import RequestFactory
from django_cotton.compiler_regex import CottonCompiler

from propolis.ui import toasts
from propolis.ui.templatetags.ui import browser_words, initials, problems, unique, verb_words
from tests.people import Crew, client_of

NASTY = """O'Brien "q" <b>&"""
SAFE = "O&#x27;Brien &quot;q&quot; &lt;b&gt;&amp;"


def drawn(source: str, **words: object) -> str:
    from django.template import engines

    engine = engines["django"]
    template = engine.from_string(CottonCompiler().process(source))
    return template.render(words, RequestFactory().get("/"))


def test_the_500_page_needs_no_database_and_no_request() -> None:
    page = render_to_string("500.html")
    assert "What you saved before is safe." in page
    assert "style=" not in page


def test_text_from_people_is_escaped_once_in_every_component() -> None:
    for source in (
        '<c-page-header title="{{ n }}" />',
        '<c-page-header :title="n" />',
        "<c-badge>{{ n }}</c-badge>",
        '<c-card :title="n">x</c-card>',
        '<c-card title="{{ n }}">x</c-card>',
        '<c-stat label="{{ n }}" value="1" />',
        '<c-diff-row name="a" label="A" :before="n" after="b" />',
        '<c-button data-x="{{ n }}">x</c-button>',
        '<c-fact label="A">{{ n }}</c-fact>',
        '<c-empty-state title="{{ n }}" />',
        '<c-step state="todo" number="1" :title="n" />',
    ):
        page = drawn(source, n=NASTY)
        assert (page.count(SAFE), "<b>" in page, "&amp;lt;" in page) == (1, False, False), source


class Form(forms.Form):
    name = forms.CharField(help_text="As on the invoice.")
    agreed = forms.BooleanField()
    note = forms.CharField(required=False)


def test_a_form_with_errors_names_the_fields_in_the_summary() -> None:
    form = Form({"note": "x"})
    assert problems(form) == [
        ("#id_name", "This field is required."),
        ("#id_agreed", "This field is required."),
    ]
    page = drawn('<c-error-summary :form="form" />{{ form.name.as_field_group }}', form=form)
    assert '<a href="#id_name">This field is required.</a>' in page
    assert 'aria-describedby="id_name_helptext id_name_error"' in page
    assert 'id="id_name_helptext"' in page
    assert 'id="id_name_error"' in page
    assert problems(Form()) == problems(None) == []


def test_answers_to_htmx_carry_several_messages() -> None:
    answer = toasts.close_dialog(toasts.toast(HttpResponse(), "Saved.", "warn"))
    assert answer["HX-Trigger"] == '{"toast": {"text": "Saved.", "tone": "warn"}, "close-dialog": true}'
    assert toasts.announce(HttpResponse(), "Half")["HX-Trigger"] == '{"announce": {"text": "Half"}}'


def test_small_words() -> None:
    assert [initials(n) for n in ("Dana Whitfield", "dana", "", None, "((x", "A B C")] == [
        "DW",
        "D",
        "?",
        "?",
        "?",
        "AC",
    ]
    assert verb_words("user.invitation_revoked") == "User: invitation revoked"
    chrome = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
    assert [browser_words(each) for each in (chrome, f"{chrome} Edg/140.0", "curl/8.1 " * 20, None)] == [
        "Chrome on Windows", "Edge on Windows", ("curl/8.1 " * 20)[:60], "Unknown",
    ]  # fmt: skip
    assert unique("mine") == "mine"
    assert unique() != unique()


def test_navigation_is_as_the_product_says(crew: Crew) -> None:
    """Dashboard · Contacts (Companies, Contacts, Lists, Duplicates) · Opportunities, in this order."""
    sections = client_of(crew.alice).get("/acme/settings/").context["nav"]
    told = [(s["heading"], [e.label for e in s["entries"]]) for s in sections]
    allowed = {
        None: ["Dashboard", "Opportunities"],
        "Contacts": ["Companies", "Contacts", "Lists", "Duplicates"],
    }
    for heading, labels in told:
        assert labels == [name for name in allowed[heading] if name in labels]
    assert [heading for heading, _ in told] == [None, "Contacts", None]


def test_the_frame_asks_the_same_few_queries_on_every_page(
    crew: Crew, django_assert_max_num_queries: object
) -> None:
    alice = client_of(crew.alice)
    alice.get("/acme/settings/")
    with django_assert_max_num_queries(11):  # type: ignore[operator]
        alice.get("/acme/settings/")
