"""The pages of a CSV import: who may, what they say, how often they ask the database."""

import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from propolis.accounts.models import Audit
from propolis.accounts.scoping import in_account
from propolis.crm import lists
from propolis.crm.csv_import.deciding import undecided
from propolis.crm.fields import Kind
from propolis.crm.models import Company, Contact, ListMember
from propolis.runs import engine
from propolis.runs.models import Run
from tests.crm.csv_story import PEOPLE, imported, planned, uploaded, worked
from tests.crm.people import Msp, make_msp
from tests.crm.test_csv_export import client_of
from tests.crm.test_edit import company, contact
from tests.crm.test_pages import asked

TEXT = PEOPLE + "Jo,Lindqvist,jo@brightwater.example,Brightwater,2125550100\nAda,,ada@home.example,,\n"


def upload(client: Client, raw: bytes, name: str = "people.csv", of: str = "contact") -> Any:
    return client.post("/acme/csv-import/", {"of": of, "file": SimpleUploadedFile(name, raw)})


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def test_from_the_upload_to_the_result(msp: Msp) -> None:
    news = lists.create_list(msp.account, "News")
    alice = client_of(msp.alice)
    where = upload(alice, TEXT.encode()).headers["Location"]
    run = Run.objects.get()
    assert (where, run.state, run.slot) == (f"/acme/csv-import/{run.number}/", "planned", None)
    columns = alice.get(where)
    picked = re.findall(r'<select name="column-(\d)".*?value="(\w+)" selected', columns.content.decode())
    assert picked == [("0", "first"), ("1", "last"), ("2", "email"), ("3", "company"), ("4", "phone")]
    chosen = {f"column-{at}": name for at, name in picked} | {"list": str(news.pk)}
    missing = alice.post(f"{where}columns/", chosen)
    assert (missing.status_code, "Say how old this file is" in words(missing)) == (400, True)
    assert alice.post(f"{where}columns/", chosen | {"age": "week"}).headers["Location"] == where
    assert "Starting" in words(alice.get(where))
    worked(run)
    preview = words(alice.get(where))
    assert "people.csv has 2 rows: 2 New, 0 Failed. It names 1 company: 1 New." in preview
    assert "Goes on the list News" in preview and "Of Brightwater, which is new too" in preview
    assert alice.post(f"{where}import/").headers["Location"] == where
    worked(run)
    result = words(alice.get(where))
    assert "people.csv has 2 rows: 2 New, 0 Failed." in result and "Imported" in result
    assert ListMember.objects.filter(list=news).count() == 2
    assert ("csv.import", {"run": run.pk, "rows": 2}) in Audit.objects.values_list("verb", "objects_ids")
    assert "people.csv has 2 rows: 2 New, 0 Failed." in words(alice.get("/acme/csv-import/"))


def test_a_bad_file_is_told_beside_the_field(msp: Msp) -> None:
    alice = client_of(msp.alice)
    answer = upload(alice, b"PK\x03\x04 a workbook")
    assert (answer.status_code, "There is a problem" in words(answer)) == (400, True)
    assert "This is an Excel workbook, not a CSV file." in words(answer)
    assert "This file is empty." in words(upload(alice, b""))
    nothing = words(alice.post("/acme/csv-import/", {"of": "contact"}))
    assert "Choose a file first." in nothing
    assert Run.objects.count() == 0


def test_discarding_leaves_nothing(msp: Msp) -> None:
    alice = client_of(msp.alice)
    for run in (uploaded(msp, TEXT), planned(msp, TEXT)):
        answer = alice.post(f"/acme/csv-import/{run.number}/ask/", {"ask": "stop"}, follow=True)
        assert "Discarded. Nothing was imported." in words(answer)
        assert "Nothing was imported." in words(alice.get(f"/acme/csv-import/{run.number}/"))
    assert (Contact.objects.count(), Company.objects.count()) == (0, 0)


def test_pausing_and_going_on(msp: Msp) -> None:
    alice, run = client_of(msp.alice), planned(msp, TEXT)
    engine.confirm(run, msp.alice)
    where = f"/acme/csv-import/{run.number}/"
    alice.post(f"{where}ask/", {"ask": "pause"})
    assert "It rests. Nothing is lost; press Resume to go on from here." in words(alice.get(where))
    assert alice.get(f"{where}progress/").status_code == 200
    alice.post(f"{where}ask/", {"ask": "resume"})
    worked(run)
    done = alice.get(f"{where}progress/")
    assert (done.status_code, done.headers["HX-Refresh"]) == (204, "true")


def test_one_thing_at_a_time(msp: Msp) -> None:
    first, second = planned(msp, TEXT), uploaded(msp, TEXT)
    engine.confirm(first, msp.alice)
    alice = client_of(msp.alice)
    chosen = {f"column-{at}": name for at, name in enumerate(second.options["guess"])}
    form = {**chosen, "age": "today", "new_list": "New one"}
    answer = alice.post(f"/acme/csv-import/{second.number}/columns/", form)
    assert (answer.status_code, "Something else is at work on your data." in words(answer)) == (400, True)
    assert lists.with_counts() == []


def test_a_person_decides_and_the_next_row_opens(msp: Msp) -> None:
    company(msp, "Brightwater", phone="212 555 0100", city="Salem")
    text = "Company name,Phone,City\nHarbor Inn,2125550100,Portland\nHarbor Pub,2125550100,Portland\n"
    run, alice = planned(msp, text, kind=Kind.COMPANY), client_of(msp.alice)
    one, two = undecided(run)
    at = f"/acme/csv-import/{run.number}/rows/"
    page = words(alice.get(f"{at}{one}/"))
    assert "Same phone, but different names: (212) 555-0100" in page and "Differs: Salem" in page
    assert alice.post(f"{at}{one}/", {"choice": "link"}, follow=True).redirect_chain == [(f"{at}{one}/", 302)]
    local = Company.objects.get().pk
    answer = alice.post(f"{at}{one}/", {"choice": "link", "local": str(local)}, follow=True)
    assert answer.redirect_chain == [(f"{at}{two}/", 302)]
    answer = alice.post(f"{at}{two}/", {"choice": "create"}, follow=True)
    assert answer.redirect_chain == [(f"/acme/csv-import/{run.number}/", 302)]
    assert "people.csv has 2 rows: 1 New, 1 Merged, 0 Failed." in words(answer)
    assert alice.get(f"{at}{one}/").status_code == 302


def test_before_and_after_of_every_row_narrowed_and_page_by_page(msp: Msp) -> None:
    contact(msp, "Ada", email="ada@home.example", phone="212 555 0100")
    rows = "".join(f"P{n:03},,p{n}@firm.example,Firm,\n" for n in range(70))
    run = planned(msp, PEOPLE + "Ada,,ada@home.example,Home,2125550199\n" + rows)
    alice = client_of(msp.alice)
    where = f"/acme/csv-import/{run.number}/"
    merged = words(alice.get(f"{where}?word=merged"))
    assert "212 555 0100 → becomes (212) 555-0199 the file is newer" in merged
    assert "Home (new)" in merged
    text = alice.get(f"{where}?word=new").content.decode()
    seen = re.findall(r">Line (\d+)<", text)
    more = re.search(r'href="(\?word=new&amp;after=\d+)#rows"', text)
    assert more is not None
    seen += re.findall(r">Line (\d+)<", alice.get(where + more[1].replace("&amp;", "&")).content.decode())
    assert [int(n) for n in seen] == list(range(3, 73))


def test_text_of_the_file_is_escaped(msp: Msp) -> None:
    run = planned(msp, "Name,Email,Notes\n<b>Jo</b>,jo@firm.example,<script>x</script>\n")
    text = client_of(msp.alice).get(f"/acme/csv-import/{run.number}/").content.decode()
    assert "<b>Jo" not in text and "<script>x" not in text and "&lt;b&gt;Jo" in text


def test_the_pages_ask_as_often_for_many_rows_as_for_one(msp: Msp) -> None:
    for n in range(40):
        contact(msp, f"P{n}", email=f"p{n}@firm.example", phone="212 555 0100")
    row = "P{0},,p{0}@firm.example,Firm {0},2125550199\n"
    few, many = (planned(msp, PEOPLE + "".join(row.format(n) for n in range(size))) for size in (1, 40))
    alice = client_of(msp.alice)
    alice.get("/acme/csv-import/")

    def ours(run: Run) -> int:
        queries = asked(alice, f"/acme/csv-import/{run.number}/")
        return len([q for q in queries if re.search(r'FROM \(?"?(SELECT|crm_|history_|runs_)', q)])

    assert (ours(few), ours(many)) == (12, 12)


def test_planning_asks_as_often_for_a_full_page_as_for_one_row(msp: Msp) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries(size: int) -> int:
        text = PEOPLE + "".join(f"P{size}{n},,p{n}@f{size}.example,Firm {size},{n}\n" for n in range(size))
        run = planned(msp, text)
        with CaptureQueriesContext(connection) as caught:
            engine.confirm(run, msp.alice)
            worked(run)
        return len(caught)

    assert queries(1) == queries(400)


def test_a_marketer_may_a_salesperson_and_a_stranger_may_not(msp: Msp) -> None:
    run = planned(msp, TEXT)
    other = make_msp("umbel")
    pages = ["csv-import/", f"csv-import/{run.number}/", f"csv-import/{run.number}/not-imported.csv"]
    posts = [f"csv-import/{run.number}/{what}/" for what in ("columns", "import", "ask")]
    bob, stranger = client_of(msp.bob), client_of(other.alice)
    assert {bob.get(f"/acme/{page}").status_code for page in pages} == {403}
    assert {bob.post(f"/acme/{page}").status_code for page in posts} == {403}
    assert {stranger.get(f"/acme/{page}").status_code for page in pages} == {404}
    with in_account(other.account):
        theirs = [page.replace("acme", "umbel") for page in pages[1:]]
        assert {stranger.get(f"/umbel/{page}").status_code for page in theirs} == {404}
    msp.bob.is_marketer = True
    msp.bob.save()
    assert {bob.get(f"/acme/{page}").status_code for page in pages} == {200}
    assert imported(msp, TEXT).state == "complete"
