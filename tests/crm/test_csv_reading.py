"""Files as people have them: what is read, and the sentence for what cannot be."""

import pytest

from propolis.crm.csv_import import columns, reading
from propolis.crm.csv_import.reading import Sheet, read_sheet
from propolis.crm.csv_import.sentences import SENTENCES, CsvRefused
from propolis.crm.fields import Kind
from propolis.crm.models import Contact
from propolis.runs.models import Run, RunPage
from tests.crm.csv_story import imported, refusal, told
from tests.crm.people import Msp

TEXT = "Name,City\nJosé Ñandú,Zürich\n"


def cells(raw: bytes) -> list[list[str]]:
    sheet = read_sheet(raw)
    return [sheet.headings, *(row.cells for row in sheet.rows)]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
)
def test_any_usual_encoding(encoding: str) -> None:
    assert cells(TEXT.encode(encoding)) == [["Name", "City"], ["José Ñandú", "Zürich"]]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_usual_separator(separator: str) -> None:
    lines = [["Name", "Notes"], ["Jo", 'one, two; three | four "five"']]
    quoted = [separator.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines]
    assert cells("\r\n".join(quoted).encode()) == lines
    assert cells(f"sep={separator}\n".encode() + "\n".join(quoted).encode()) == lines


def test_bad_files_are_refused_in_words_and_leave_nothing(msp: Msp) -> None:
    long = "x" * (reading.LONGEST_CELL + 1)
    files = {
        "csv.empty": b"",
        "csv.no_rows": b"Name,Email\n",
        "csv.no_headings": b"Jo Lindqvist,jo@firm.example\nAda,ada@firm.example\n",
        "csv.workbook": b"PK\x03\x04\x14\x00\x06\x00" + bytes(200),
        "csv.not_text": bytes(range(256)) * 8,
        "csv.cut": b'Name,Email\nJo,jo@firm.example\n"Ada Byr',
        "csv.stray_quote": b'Name,Email\n"Jo "the boss" Li",jo@firm.example\n',
        "csv.cell_too_long": f"Name,Email\nJo,{long}\n".encode(),
        "csv.too_many_columns": (",".join(f"c{n}" for n in range(501)) + "\n1\n").encode(),
    }
    assert {code: refusal(msp, raw) for code, raw in files.items()} == {code: code for code in files}
    assert refusal(msp, b"\xef\xbb\xbf \n\n") == "csv.empty"
    assert (Run.objects.count(), RunPage.objects.count(), Contact.objects.count()) == (0, 0, 0)


def test_a_file_cut_in_a_cell_says_where(msp: Msp) -> None:
    with pytest.raises(CsvRefused) as refused:
        list(read_sheet(b'Name,Notes\nJo,"a\nb"\nAda,"begins here\nand never\nends').rows)
    assert refused.value.sentence == SENTENCES["csv.cut"].format(line=4)


def test_a_file_larger_than_the_setting(msp: Msp, settings: pytest.FixtureRequest) -> None:
    settings.PROPOLIS_CSV_MOST_MB = 0  # type: ignore[attr-defined]
    assert refusal(msp, TEXT.encode()) == "csv.too_large"


def test_ragged_rows_and_one_where_the_file_breaks_off() -> None:
    sheet = read_sheet(b"A,B,C\n1\n1,2,3,,\n1,2,3,4\n\n,,\n1,2,3\n")
    assert [(row.line, row.cells, row.odd) for row in sheet.rows] == [
        (2, ["1", "", ""], ""),
        (3, ["1", "2", "3"], ""),
        (4, ["1", "2", "3", "4"], "csv.too_many_cells"),
        (7, ["1", "2", "3"], ""),
    ]
    cut = read_sheet(b"A,B,C\n1,2,3\n4,5")
    assert [row.odd for row in cut.rows] == ["", "csv.row_cut"]


def test_a_file_cut_in_the_middle_of_a_letter_is_not_read_as_another_encoding() -> None:
    """Its accents would come in as "JosÃ©"."""
    raw = TEXT.encode()
    for end in range(len(raw), 0, -1):
        if raw[end - 1] >= 0xC0 and not raw[: end - 1].isascii():
            with pytest.raises(CsvRefused) as refused:
                read_sheet(raw[:end])
            assert refused.value.sentence == SENTENCES["csv.cut"].format(line=2)
    assert cells(b"Name\nJos\xe9") == [["Name"], ["José"]], "one odd letter at the end is Windows-1252"


def test_odd_rows_fail_alone(msp: Msp) -> None:
    run = imported(
        msp, "Name,Email,Phone\nJo,jo@firm.example,1\n,,\n,,not a phone\nAda,a@firm.example,1,2\nBea,b"
    )
    assert told(run) == ["people.csv has 4 rows: 2 New, 2 Failed."]


def test_headings_twice_blank_or_far_too_many(msp: Msp) -> None:
    assert cells(b"Name,Name,,Name, \nJo,2,3,4\n")[0] == ["Name", "Name (2)", "Column 3", "Name (3)"]
    head = ["Name", "Email", *(f"Field {n}" for n in range(198))]
    run = imported(msp, ",".join(head) + "\n" + ",".join(["Jo", "jo@firm.example", *["=1+1"] * 198]) + "\n")
    assert told(run) == ["people.csv has 1 row: 1 New, 0 Failed."]


def test_long_names_rtl_emoji_formulas_and_nul(msp: Msp) -> None:
    name, arabic = "n" * 10_000, "شركة \u202eالنور\u202c 🐝"
    rows = [
        f"{name},{name}@firm.example,{name}",
        f"{arabic},bee@firm.example,'=1+1",
        "J\x00o,jo@firm.example,=1+1",
    ]
    run = imported(msp, "Name,Email,Notes\n" + "\n".join(rows) + "\n")
    assert told(run) == ["people.csv has 3 rows: 3 New, 0 Failed."]
    found = Contact.objects.order_by("pk").values_list("first", "last", "notes")
    first, last = arabic.rsplit(" ", 1)
    assert list(found) == [(name, "", name), (first, last, "=1+1"), ("Jo", "", "=1+1")]


def guessed(kind: Kind, headings: str) -> dict[str, str]:
    names = headings.split(",")
    return {head: name for head, name in zip(names, columns.guess(kind, names, []), strict=True) if name}


def test_columns_of_the_usual_exports_are_recognised() -> None:
    assert guessed(
        Kind.CONTACT,
        "Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Job Title,Associated Company,"
        "Street Address,City,State/Region,Postal Code,Country/Region,Last Modified Date,Unsubscribed from all email",
    ) == {
        "First Name": "first", "Last Name": "last", "Email": "email", "Phone Number": "phone",
        "Mobile Phone Number": "mobile", "Job Title": "title", "Associated Company": "company",
        "Street Address": "address_1", "City": "city", "State/Region": "state", "Postal Code": "zip",
        "Country/Region": "country", "Last Modified Date": "changed",
        "Unsubscribed from all email": "unsubscribed",
    }  # fmt: skip
    assert guessed(
        Kind.COMPANY, "id,business_name,email,phone,mobile,address,address_2,city,state,zip,notes,updated_at"
    ) == {
        "business_name": "name", "email": "email", "phone": "phone", "mobile": "mobile", "address": "address_1",
        "address_2": "address_2", "city": "city", "state": "state", "zip": "zip", "notes": "notes",
        "updated_at": "changed",
    }  # fmt: skip
    assert guessed(Kind.CONTACT, "name,email,customer_business_name,address1,opt_out") == {
        "name": "full_name", "email": "email", "customer_business_name": "company", "address1": "address_1",
        "opt_out": "unsubscribed",
    }  # fmt: skip


def test_a_column_of_addresses_is_known_whatever_its_heading() -> None:
    sheet: Sheet = read_sheet(b"Who,Post\nJo,jo@firm.example\nAda,\n")
    assert columns.guess(Kind.CONTACT, sheet.headings, [row.cells for row in sheet.rows]) == ["", "email"]


def test_choices_that_cannot_be_imported() -> None:
    def code(kind: Kind, *chosen: str) -> str:
        with pytest.raises(CsvRefused) as refused:
            columns.checked(kind, chosen)
        return refused.value.code

    assert [
        code(Kind.CONTACT, "email", "email"), code(Kind.CONTACT, "phone", ""), code(Kind.COMPANY, "email"),
    ] == ["csv.chosen_twice", "csv.no_name_column", "csv.no_company_name_column"]  # fmt: skip
