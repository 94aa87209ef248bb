"""Records that are the same in every seeded account of twenty companies or more, so that a demo can name
them.
"""

from __future__ import annotations

from collections.abc import Mapping

from .model import JSON

BRIGHTWATER = (
    20418  # customer "Brightwater Dental Group", its own person is Priya Raman, who is a contact too
)
BRIGHTWATER_OLD = 20511  # customer "Brightwater Dental", the same practice entered twice, without e-mail
HARBOR = 20527  # customer "Harbor & Vine Catering"
RESIDENTIAL = 20533  # customer without business name: Carol Whitfield
PRIYA = 310118  # contact at BRIGHTWATER
JO = 310121  # contact at BRIGHTWATER, shares frontdesk@ with SAM
SAM = 310122
HARBOR_CHEF = 310127  # contact at HARBOR
OFFICE_MOVE = 5560138523  # lead: open opportunity of BRIGHTWATER, ids beyond 2^31
NEW_SERVER = 5560138527  # lead: Won, became a ticket
PRINTER_MAIL = 5560138530  # lead: born from an e-mail to the support mailbox

SMALLEST = 20

CUSTOMERS: Mapping[int, Mapping[str, JSON]] = {
    BRIGHTWATER: {
        "business_name": "Brightwater Dental Group",
        "firstname": "Priya",
        "lastname": "Raman",
        "email": "priya.raman@brightwater-dental.example",
        "phone": "2065550142",
        "address": "418 Alder Street",
        "address_2": "Suite 200",
        "city": "Seattle",
        "state": "WA",
        "zip": "98104",
        "notes": "Server closet code 4471#. Call before 8 am.",
        "properties": {"Managed Status": 35984, "Managed IT": "1", "Seats": "24"},
        "referred_by": "Harbor & Vine Catering",
    },
    BRIGHTWATER_OLD: {
        "business_name": "Brightwater Dental",
        "phone": "2065550143",
        "city": "Seattle",
        "state": "WA",
    },
    HARBOR: {
        "business_name": "Harbor & Vine Catering",
        "firstname": "Tomás",
        "lastname": "Ibarra",
        "email": "office@harbor-vine.example",
        "phone": "2065550117",
        "mobile": "2065550118",
        "address": "9 Quay Lane",
        "city": "Tacoma",
        "state": "WA",
        "zip": "98402",
        "properties": {"Managed Status": 35985, "Managed IT": "0"},
    },
    RESIDENTIAL: {
        "firstname": "Carol",
        "lastname": "Whitfield",
        "email": "carol.whitfield.20533@gmail.com",
        "mobile": "2535550164",
        "city": "Tacoma",
        "state": "WA",
    },
}

CONTACTS: Mapping[int, Mapping[str, JSON]] = {
    PRIYA: {
        "customer_id": BRIGHTWATER,
        "name": "Priya Raman",
        "email": "priya.raman@brightwater-dental.example",
        "phone": "(206) 555-0142",
        "mobile": "206.555.0171",
        "address1": "418 Alder Street",
        "address2": "Suite 200",
        "city": "Seattle",
        "state": "WA",
        "zip": "98104",
        "properties": {"title": "Practice Manager"},
    },
    JO: {
        "customer_id": BRIGHTWATER,
        "name": "Jo Lindqvist",
        "email": "frontdesk@brightwater-dental.example",
        "phone": "206-555-0142 x12",
        "extension": "12",
        "properties": {"title": "Front Desk"},
    },
    SAM: {
        "customer_id": BRIGHTWATER,
        "name": "Sam Okafor",
        "email": "frontdesk@brightwater-dental.example",
        "phone": "206-555-0142 x14",
        "extension": "14",
        "properties": {"title": "Front Desk"},
    },
    HARBOR_CHEF: {
        "customer_id": HARBOR,
        "name": "Renée D'Amico",
        "email": "Renee.DAmico@harbor-vine.example",
        "phone": "206.555.0117",
        "properties": {"title": "Head Chef"},
    },
}

# user: index into the users that are still there
LEADS: Mapping[int, Mapping[str, JSON]] = {
    OFFICE_MOVE: {
        "first_name": "Priya",
        "last_name": "Raman",
        "business_name": "Brightwater Dental Group",
        "email": "priya.raman@brightwater-dental.example",
        "phone": "(206) 555-0142",
        "ticket_subject": "Office move: network and phones for the Alder Street floor",
        "customer_id": BRIGHTWATER,
        "contact_id": PRIYA,
        "status": "Opportunity",
        "user": 3,
        "opportunity_amount_dollars": 18400,
        "likelihood": 60,
    },
    NEW_SERVER: {
        "first_name": "Tomás",
        "last_name": "Ibarra",
        "business_name": "Harbor & Vine Catering",
        "email": "office@harbor-vine.example",
        "ticket_subject": "Replace the old file server",
        "customer_id": HARBOR,
        "status": "Won",
        "ticket_id": 9812044,
        "user": 4,
    },
    PRINTER_MAIL: {
        "first_name": "Jo",
        "last_name": "Lindqvist",
        "email": "frontdesk@brightwater-dental.example",
        "ticket_subject": "RE: Printer in room 3 is offline again",
        "ticket_description": "<p>It says <b>offline</b> again &amp; we have patients at 9.</p>",
        "customer_id": BRIGHTWATER,
        "contact_id": JO,
        "mailbox_id": 7714,
        "mailbox_name": "Support",
        "status": "Won",
        "ticket_id": 9812051,
    },
}

FIXED_IDS = frozenset({*CUSTOMERS, *CONTACTS, *LEADS})
