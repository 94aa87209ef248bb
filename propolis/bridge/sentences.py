"""Code → sentence: everything that can stop an import or single out a record, said to the person who meets it.

docs/errors.md is made from here; a test holds the two equal. Syncro's own errors bring their sentences along
(propolis/syncro/errors.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from propolis.runs.models import Run
from propolis.syncro import errors
from propolis.syncro.errors import SyncroError

# Why a whole run waits, stops or is not complete.
RUNS = {
    "propolis.not_connected": (
        "No Syncro account is connected. Save a subdomain and an API token under Connection first."
    ),
    "bridge.token_unreadable": (
        "The saved API token cannot be read with this server's keys. Make a new token in Syncro and save it "
        "under Connection."
    ),
    "propolis.unread": (
        "Not everything could be read: Syncro's lists kept changing while we read them. What was read is here; "
        "press Import again to get the rest."
    ),
    "propolis.sum_wrong": (
        "The numbers do not add up, so this import does not count as complete. Press Import again; if it stays "
        "so, send us the details below."
    ),
    "propolis.stale_preview": (
        "This preview is out of date: another import ran since, or it is more than 24 hours old. Make a new one."
    ),
    "propolis.choices_changed": (
        "What comes along was chosen anew since this preview was made, so it is out of date. Make a new one."
    ),
    "propolis.unexpected": (
        "Something went wrong inside Propolis, five times at the same place. Nothing is lost: press Import again, "
        "and tell your operator what stands below."
    ),
    "propolis.database": "The database was busy or away for a moment. The import goes on by itself.",
    "suddenly_empty": (
        "Syncro suddenly looks empty. Nothing was changed. Look into Syncro first; if it really is empty, confirm."
    ),
    "too_many_changes": (
        "Far more of your linked records would change than usual. Nothing was changed. Look at the preview; if it "
        "is right, confirm."
    ),
    "too_many_for_schedule": (
        "The scheduled import would change more records than you allow it. Nothing was changed. Look at the "
        "preview; if it is right, confirm."
    ),
    "propolis.stale_undo": (
        "This preview is out of date: something else ran since, or it is more than 24 hours old. Make a new one."
    ),
    "propolis.undo_nothing": "The import to undo is not in the history any more. Nothing was changed.",
    "preview": "This is the preview. Nothing has been written yet.",
}

# Why one record was held, left out or failed; the run itself goes on.
RECORDS = {
    "unreadable": ("Syncro sent something we cannot read as a record. Correct it in Syncro, then Retry."),
    "killed_the_worker": (
        "Working on this record stopped the import eight times, so it was set aside. Tell your operator; the raw "
        "answer is kept with it."
    ),
    "not_storable": "This record could not be stored. The reason is below; correct it in Syncro, then Retry.",
    "weak": "It may be one of yours, but the evidence is too weak to merge by itself.",
    "several": "Several of yours fit. Choose which one it is.",
    "claimed by two": "Two records in Syncro fit the same one here. Choose which belongs to it.",
    "status_unmapped": "Its status is new to us. Choose where it goes on the status map, and it comes along.",
    "status_not_imported": 'Its status is set to "Do not import".',
    "mail_lead": "It is an e-mail to your mailbox, and those are left out.",
    "closed_long_ago": "It was closed longer ago than you chose to import.",
    "disabled_in_syncro": "It is disabled in Syncro, and disabled customers are left out.",
    "deleted_here": "It was deleted here; imports leave it out until you bring it back.",
    "skipped": "You chose Skip.",
    "not_in_syncro": "It is not in Syncro any more, so there is nothing to import.",
    "contact_missing": (
        "This person's contact was missing in Syncro, which is being looked into: the next import decides."
    ),
    "waits_for_company": "Waiting for its company, which needs a decision or has not been imported yet.",
    "overtaken": "It was sent to Syncro after this copy was read, so it waits for the next import.",
    "no_such_customer": "Its customer was not found in Syncro, so it came without a company.",
}

# Send to Syncro: why it cannot be done now, and what came of it.
SENDING = {
    "send.role": "Only an Admin or a Salesperson can send to Syncro.",
    "send.not_connected": "Syncro is not connected.{whom}",
    "send.token_refused": "Syncro refused the saved API token. It has to be replaced under Connection.{whom}",
    "send.mapping": (
        'The mapping is not complete yet: "{heading}" ({step}) is still to be done before anything can be sent.{whom}'
    ),
    "send.statuses": (
        "The mapping is not complete yet: some opportunity statuses are still to be decided under Opportunities.{whom}"
    ),
    "send.permission": 'The API token may not do this: it lacks the permission "{permission}".{whom}',
    "send.deleted": "This record is deleted here. Bring it back first.",
    "send.gone": "Syncro has no record #{id} any more: it was deleted or merged there, so there is nothing to update.",
    "send.disabled": "{name} is disabled in Syncro. Enable it there, import, then send.",
    "send.no_company": (
        "Syncro keeps every contact under a company, and {name} has none here. Choose a company first."
    ),
    "send.needs_opportunity": (
        "What is new in Syncro needs an opportunity that isn't Lost, and {name} has none."
    ),
    "send.update_needs_opportunity": (
        "Your account sends only what has an opportunity that isn't Lost, and {name} has none."
    ),
    "send.no_opportunity_warning": "{name} has no opportunity that isn't Lost. You can update Syncro all the same.",
    "send.under_way": "{who} is sending this right now. Look again in a moment.",
    "send.changed": (
        "Something changed since you opened this, so nothing was sent. Below is how it stands now: look, then send."
    ),
    "send.nothing": "Tick at least one field.",
    "send.match": (
        "Since you opened this, Syncro has got a record that may be the same one, so nothing was sent. Look at it "
        "first."
    ),
    "send.taken": "Syncro's #{id} belongs to {name} here by now. Nothing was sent.",
    "send.refused": "Syncro did not accept this. What it said stands beside the field.",
    "send.not_sent": "Nothing was sent.",
    "send.waits_for_company": "It was not sent, because its company was not.",
    "send.arrived": "No answer came. We looked: it had arrived. Nothing was sent twice.",
    "send.looking": (
        "No clear answer came from Syncro. Propolis is looking whether it arrived, and goes on by itself; nothing is "
        "sent twice."
    ),
    "send.several": (
        "No clear answer came, and Syncro has more than one record that may be it. Choose which one it is."
    ),
    "send.cannot_tell": (
        "No clear answer came, and Syncro cannot tell us whether it arrived. Look in Syncro, then tell us here."
    ),
    "send.used": "It has been used in Syncro since it was sent, so it stays there.",
    "send.nothing_back": "Nothing can be put back: every field was changed in Syncro since.",
    "send.stopped": "Stopped before it was clear whether it had arrived. Look in Syncro before sending it again.",
    "send.not_there": (
        "No clear answer came, twice. We looked both times: it had not arrived. Send it again when Syncro works."
    ),
}


def sentence(code: str, default: str = "") -> str:
    """What to tell a person; for a code of Syncro's client, its general sentence."""
    return RUNS.get(code) or RECORDS.get(code) or SENDING.get(code) or SYNCRO.get(code) or default


def run_sentence(run: Run) -> str:
    """Why the run waits, stopped or is not complete; "" if there is nothing to say.

    Syncro's errors keep their own sentence, with its facts, as the first line of the run's detail.
    """
    if run.error_code.startswith("syncro.") and run.error_detail:
        return run.error_detail.partition("\n")[0]
    return sentence(run.error_code) if run.error_code else ""


def _tree(root: type[SyncroError]) -> Iterator[type[SyncroError]]:
    for each in root.__subclasses__():
        yield each
        yield from _tree(each)


class _Named(dict[str, str]):
    """Facts a template names, where none are at hand."""

    def __missing__(self, key: str) -> str:
        return {
            "host": "that address",
            "named": "a permission this needs",
            "given": "this",
            "limit": "the limit",
            "what": "such record",
            "number": "5xx",
            "reasons": "see the details.",
        }.get(key, key)


SYNCRO = {each.code: each.template.format_map(_Named()) for each in _tree(errors.SyncroError)}


PAGE_HEAD = """# Errors

Every error a person can meet, by its code. Made from the code: `python -m propolis.cli.errors_page > docs/errors.md`.
What stands in «…» is filled in with the facts of the moment.
"""


def page() -> str:
    """docs/errors.md."""
    from propolis.bridge import backup_format, connecting
    from propolis.crm.csv_import import sentences as csv

    connection = {
        "bridge.no_token": connecting.EMPTY,
        "bridge.cannot_read": connecting.CANNOT_READ,
        "bridge.other_account": connecting.OTHER_ACCOUNT,
    }
    tables = (
        ("When an import waits, stops or is not complete", RUNS),
        ("When one record is held, left out or failed", RECORDS),
        ("What Syncro answered", {each.code: each.template for each in errors.error_classes()}),
        ("Connecting", connection),
        ("Send to Syncro", SENDING),
        ("Backups", backup_format.SENTENCES),
        ("When a CSV file cannot be imported", csv.FILES),
        ("When a row of a CSV file waits, stays out or fails", csv.ROWS),
    )
    return PAGE_HEAD + "".join(f"\n## {title}\n\n{_table(rows)}" for title, rows in tables)


def _table(rows: Mapping[str, str]) -> str:
    lines = [f"| `{code}` | {text.replace('{', '«').replace('}', '»')} |" for code, text in rows.items()]
    return "\n".join(["| code | what the person reads |", "|---|---|", *lines, ""])
