"""Records to match, written as short as a test can be read, and strategies that make them collide often."""

from dataclasses import replace

from hypothesis import strategies as st

from propolis.merge.match import Outcome, match_company
from propolis.merge.record import CompanyKeys, ContactKeys, Record

NAMES = [
    "",
    "brightwater",
    "brightwater dental",
    "bright water",
    "acme chicago",
    "acme boston",
    "acme",
    "kps",
]
PERSONS = ["", "jo lindqvist", "j lindqvist", "anna lindqvist", "jo", "priya raman", "raman priya"]
DOMAINS = ["brightwater.com", "acme.com", "other.org"]
PHONES = ["15550001", "15550002", "15550003"]
EMAILS = ["", "jo@brightwater.com", "anna@gmail.com", "office@acme.com"]
CITIES = ["", "chicago", "boston"]


def business(
    id: int, name: str = "", domain: str = "", phone: str = "", city: str = "", email: str = ""
) -> Record:
    keys = CompanyKeys(
        name=name,
        domains=frozenset(domain.split()),
        phones=frozenset(phone.split()),
        city=city,
        email=email,
    )
    return Record(id, {}, None, keys)


def resident(id: int, person: str = "", email: str = "", phone: str = "", city: str = "") -> Record:
    keys = CompanyKeys(
        name=person,
        person=person,
        email=email,
        phones=frozenset(phone.split()),
        city=city,
        residential=True,
    )
    return Record(id, {}, None, keys)


def contact(
    id: int, name: str = "", email: str = "", company: int | None = None, role: bool = False
) -> Record:
    return Record(id, {}, None, ContactKeys(name, email, role, company))


def match_one(theirs: Record, *ours: Record, name_counts: tuple[int, int] = (1, 1)) -> Outcome:
    return match_company(theirs, ours, name_count_theirs=name_counts[0], name_count_ours=name_counts[1])


ids = st.integers(1, 10**12)
businesses = st.builds(
    business,
    ids,
    st.sampled_from(NAMES),
    st.sampled_from(["", *DOMAINS, "acme.com other.org"]),
    st.sampled_from(["", *PHONES, "15550001 15550003"]),
    st.sampled_from(CITIES),
    st.sampled_from(EMAILS),
)
residents = st.builds(
    resident,
    ids,
    st.sampled_from(PERSONS),
    st.sampled_from(EMAILS),
    st.sampled_from(["", *PHONES]),
    st.sampled_from(CITIES),
)
contacts = st.builds(
    lambda id, name, email, company: contact(id, name, email, company, role=email.startswith("office@")),
    ids,
    st.sampled_from(PERSONS),
    st.sampled_from(EMAILS),
    st.sampled_from([None, 1, 2]),
)
companies = businesses | residents


def several(records: st.SearchStrategy[Record]) -> st.SearchStrategy[list[Record]]:
    return st.lists(records, max_size=6, unique_by=lambda record: record.id)


def company_keys(record: Record) -> CompanyKeys:
    assert isinstance(record.keys, CompanyKeys)
    return record.keys


def contact_keys(record: Record) -> ContactKeys:
    assert isinstance(record.keys, ContactKeys)
    return record.keys


def changed(record: Record, **keys: object) -> Record:
    """The record with other keys."""
    return replace(record, keys=replace(record.keys, **keys))  # type: ignore[arg-type]
