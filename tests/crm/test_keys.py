"""Comparison keys: literal examples, then what must hold for any text at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from propolis.crm import keys

ANY = st.text(max_size=400) | st.text(alphabet="Jo-van. ,de&LLC'ÅøÉß\x00\t\ud800 ", max_size=60)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Jo@Brightwater.example", "jo@brightwater.example"),
        (" jo@brightwater.example\x00 ", "jo@brightwater.example"),
        ("Jo Lindqvist <jo@brightwater.example>", "jo@brightwater.example"),
        ("mailto:jo@brightwater.example", "jo@brightwater.example"),
        ("jo@a.example; sam@b.example", "jo@a.example"),
        ("none", ""),
        ("", ""),
        ("@", ""),
    ],
)
def test_email_key(text: str, key: str) -> None:
    assert keys.email_key(text) == key


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("brightwater.example", "brightwater.example"),
        ("https://www.brightwater.test/path?x=1", "brightwater.test"),
        ("http:/brightwater.com", "brightwater.com"),
        ("www.shop.acme.co.uk/x", "acme.co.uk"),
        ("https://jo:secret@shop.acme.com:8443/", "acme.com"),
        ("jo@mail.acme.com", "acme.com"),
        ("Jo <jo@acme.com>", "acme.com"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("acme.github.io", "acme.github.io"),
        ("jo@gmail.com", ""),
        ("https://www.facebook.com/acme", ""),
        ("acme.wordpress.com", ""),
        ("192.168.1.10", ""),
        ("localhost", ""),
        ("n/a", ""),
        ("none", ""),
        ("", ""),
    ],
)
def test_domain_of(text: str, domain: str) -> None:
    assert keys.domain_of(text) == domain


def test_email_domain_keeps_the_whole_host() -> None:
    assert keys.email_domain("Jo@Mail.Acme.com") == "mail.acme.com"
    assert keys.email_domain("nobody") == ""


@pytest.mark.parametrize(
    ("text", "region", "key"),
    [
        ("(212) 555-0100", "US", "12125550100"),
        ("1-212-555-0100", "US", "12125550100"),
        ("+1 212.555.0100", "US", "12125550100"),
        ("212.555.0100 ext. 4", "US", "12125550100"),
        ("2125550100x12", "US", "12125550100"),
        ("555-0199", "US", "15550199"),
        ("1-800-FLOWERS", "US", "18003569377"),
        ("+49 30 1234567", "US", "49301234567"),
        ("030 1234567", "DE", "49301234567"),
        ("(212) 555-0100", "GB", "442125550100"),
        ("123456", "DE", ""),
        ("0000000000", "US", ""),
        ("911", "US", ""),
        ("n/a", "US", ""),
        ("", "US", ""),
    ],
)
def test_phone_key(text: str, region: str, key: str) -> None:
    assert keys.phone_key(text, region) == key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("The Bright & Water Co., LLC", "bright and water"),
        ("BRIGHT AND WATER L.L.C.", "bright and water"),
        ("Müller GmbH & Co. KG", "muller"),
        ("Kline, Inc.", "kline"),
        ("A.B.C. S.A. de C.V.", "abc"),
        ("St. Mary's Clinic, P.C.", "st marys clinic"),
        ("Acme UK", "acme uk"),
        ("The Company", "company"),
        ("Łódź Øl", "lodz ol"),
        ("Smith-Jones", "smith jones"),
        ("!!!", "!!!"),
        ("", ""),
    ],
)
def test_name_key(name: str, key: str) -> None:
    assert keys.name_key(name) == key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Jo Lindqvist", "jo lindqvist"),
        ("Dr. Jo Lindqvist", "jo lindqvist"),
        ("LINDQVIST, Jo", "jo lindqvist"),
        ("Zoë O'Neil", "zoe oneil"),
        ("Smith, Jr.", "smith jr"),
        ("Mr.", "mr"),
        ("", ""),
    ],
)
def test_person_key(name: str, key: str) -> None:
    assert keys.person_key(name) == key


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("Jo Lindqvist", ("Jo", "Lindqvist")),
        ("Jo Ann Lindqvist", ("Jo Ann", "Lindqvist")),
        ("Jo van der Berg", ("Jo", "van der Berg")),
        ("Maria de la Cruz", ("Maria", "de la Cruz")),
        ("Van Morrison", ("Van", "Morrison")),
        ("John Smith Jr.", ("John", "Smith Jr.")),
        ("Lindqvist, Jo", ("", "Lindqvist, Jo")),
        ("  Cher ", ("Cher", "")),
        ("", ("", "")),
    ],
)
def test_split_name(whole: str, parts: tuple[str, str]) -> None:
    assert keys.split_name(whole) == parts


@pytest.mark.parametrize(
    "email",
    [
        "info@a.example",
        "Office@a.example",
        "billing+x@a.example",
        "no-reply@a.example",
        "front.desk@a.example",
    ],
)
def test_addresses_of_a_post(email: str) -> None:
    assert keys.is_role_address(email)


@pytest.mark.parametrize("email", ["jo@a.example", "infosmith@a.example", "", "info"])
def test_addresses_of_a_person(email: str) -> None:
    assert not keys.is_role_address(email)


@given(ANY)
def test_no_name_loses_a_letter_when_split(whole: str) -> None:
    assert keys.join_name(*keys.split_name(whole)) == " ".join(keys.clean(whole).split())


@given(ANY)
def test_every_key_fits_its_column_and_has_no_nul(text: str) -> None:
    made = [
        keys.email_key(text),
        keys.phone_key(text, "US"),
        keys.domain_of(text),
        keys.name_key(text),
        keys.person_key(text),
        keys.sort_key(text),
    ]
    assert [len(key) <= keys.KEY_LENGTH and "\x00" not in key for key in made] == [True] * 6


@given(ANY)
def test_what_is_kept_of_a_text_can_be_stored(text: str) -> None:
    kept = keys.clean(text)
    assert kept.encode("utf-8") is not None
    assert keys.clean(kept) == kept


@given(st.text(min_size=1, max_size=60))
def test_capitals_and_space_never_matter(name: str) -> None:
    assert keys.name_key(f"  {name}  ") == keys.name_key(name)
    assert keys.sort_key(f" {name} ") == keys.sort_key(name)


@given(st.from_regex(r"[2-9]\d{2}[2-9]\d{6}", fullmatch=True))
def test_the_fast_way_for_phones_agrees_with_the_library(digits: str) -> None:
    plain = keys.phone_key(digits, "US")
    assert keys.phone_key(f"({digits[:3]}) {digits[3:6]}-{digits[6:]}", "US") == plain
    assert keys.phone_key(f"+1{digits}", "US") == plain
    assert keys._odd_phone(digits, "US") == plain


def test_two_long_names_with_one_beginning_are_two() -> None:
    long = "a" * 10_000
    assert keys.name_key(f"{long} one") != keys.name_key(f"{long} two")


def test_what_nobody_can_see_is_nothing() -> None:
    for text in (
        "\u200b",
        "\ufeff \u2060",
        "\u3164",
        "\u2800\u00ad",
        "\u202e\u202c",
        "\ufe0f",
        "\u00a0\n\u200d",
    ):
        assert keys.clean(text) == "", ascii(text)
    for text in ("👩\u200d🔧", "\u200fعلي", "Jo\u200b", "❤\ufe0f", " "):
        assert keys.clean(text) == text, ascii(text)
