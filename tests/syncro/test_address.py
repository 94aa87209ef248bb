"""Alice pastes what she finds in her browser; the client only ever talks to Syncro's own hosts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from propolis.syncro import HOSTS, Address, BadAddress, SyncroClient, base_url, normalise_subdomain
from propolis.syncro.address import checked_base_url
from tests.syncro.fakes import TOKEN, FreePacer


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("acme", Address("acme")),
        ("  ACME ", Address("acme")),
        ("acme-it-2", Address("acme-it-2")),
        ("acme.syncromsp.com", Address("acme")),
        ("acme.syncromsp.com.", Address("acme")),
        ("acme.syncromsp.com/customers/12", Address("acme")),
        ("https://acme.syncromsp.com/foo?bar=1#x", Address("acme")),
        ("http://Acme.SyncroMSP.com", Address("acme")),
        ("https://acme.syncromsp.com:443/api/v1", Address("acme")),
        ("acme.shield.syncromsp.com", Address("acme", "shield.syncromsp.com")),
        ("https://acme.shield.syncromsp.com/leads", Address("acme", "shield.syncromsp.com")),
    ],
)
def test_what_alice_pastes_is_cut_down_to_her_subdomain(typed, address):
    assert normalise_subdomain(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "-acme",
        "acme_it",
        "ácme",
        "a" * 64,
        "acme it",
        "acme.example.com",
        "acme.repairshopr.com",
        "acme.syncromsp.com.evil.example",
        "evil.example/acme.syncromsp.com",
        "https://acme.syncromsp.com@evil.example/",
        "https://user:pass@acme.syncromsp.com",
        "two.labels.syncromsp.com",
        "shield.syncromsp.com",
        "syncromsp.com",
        ".syncromsp.com",
        "javascript://acme",
        "file:///etc/passwd",
        "https://[::1",
        "127.0.0.1",
        "acme\n.syncromsp.com.evil.example",
    ],
)
def test_anything_else_is_refused_with_a_sentence(typed):
    with pytest.raises(BadAddress) as caught:
        normalise_subdomain(typed)
    assert caught.value.sentence == (
        f'"{typed}" is not a Syncro address. Give the first part of the address you sign in to, '
        "such as acme of acme.syncromsp.com."
    )


@given(st.text())
def test_whatever_is_typed_only_syncros_hosts_are_ever_addressed(typed):
    try:
        address = normalise_subdomain(typed)
    except BadAddress:
        return
    assert address.host in HOSTS
    assert base_url(address) == f"https://{address.label}.{address.host}/api/v1"
    assert normalise_subdomain(base_url(address)) == address


@pytest.mark.parametrize(
    ("given_url", "used"),
    [
        ("https://acme.syncromsp.com", "https://acme.syncromsp.com/api/v1"),
        ("https://acme.syncromsp.com/api/v1/", "https://acme.syncromsp.com/api/v1"),
        ("http://127.0.0.1:8900", "http://127.0.0.1:8900/api/v1"),
        ("http://localhost:8900/api/v1", "http://localhost:8900/api/v1"),
        ("http://[::1]:8900/x", "http://[::1]:8900/x"),
    ],
)
def test_an_operators_base_url(given_url, used):
    assert checked_base_url(given_url) == used


@pytest.mark.parametrize(
    "url",
    [
        "http://sandbox.example/api/v1",
        "http://127.0.0.1.evil.example",
        "ftp://127.0.0.1",
        "https://user:pass@acme.syncromsp.com",
        "https://acme.syncromsp.com?x=1",
        "https://",
        "acme.syncromsp.com",
        "https://acme:port",
    ],
)
def test_a_token_never_travels_in_the_clear(url):
    with pytest.raises(BadAddress):
        SyncroClient(url, TOKEN, pacer=FreePacer())


def test_plain_http_beyond_this_machine_must_be_asked_for():
    assert checked_base_url("http://sandbox:8900", allow_plain_http=True) == "http://sandbox:8900/api/v1"
