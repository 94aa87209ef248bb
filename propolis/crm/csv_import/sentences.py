"""Code → sentence: why a file is refused, why a row of it waits, stays out or fails."""

from __future__ import annotations

from collections.abc import Mapping

FILES: Mapping[str, str] = {
    "csv.empty": "This file is empty. Choose the file you exported, and look into it first.",
    "csv.no_rows": "This file has headings but no rows below them, so there is nothing to import.",
    "csv.no_headings": (
        "The first row looks like a record, not like headings. Put a first row on top that names the columns: "
        "First name, Last name, E-mail …"
    ),
    "csv.workbook": (
        "This is an Excel workbook, not a CSV file. Open it in Excel, choose Save as, then “CSV UTF-8”, and upload "
        "that file."
    ),
    "csv.not_text": (
        "This file is not text, so it cannot be a CSV file. Open it in the program it comes from and save it as CSV."
    ),
    "csv.cut": (
        "This file ends in the middle of a cell that begins on line {line}, so a part of it is missing, or a quotation "
        "mark is. Export or download it again. Nothing was imported."
    ),
    "csv.stray_quote": (
        "Line {line} has a quotation mark inside a cell where none may be. Correct that line, or save the file as CSV "
        "in Excel, and upload it again."
    ),
    "csv.cell_too_long": (
        "Line {line} has a cell of more than {limit} characters. That is usually a missing quotation mark; correct it "
        "and upload the file again."
    ),
    "csv.too_many_columns": "This file has {count} columns; at most {limit} can be read. Take some out.",
    "csv.too_large": "This file is larger than {limit} MB. Split it into several, and import one after the other.",
    "csv.busy": "Something else is at work on your data. Try again when that has ended.",
    "csv.stale_preview": (
        "This preview is out of date: something else was imported or undone since, or it is more than 24 hours old. "
        "Upload the file again."
    ),
    "csv.gone": "The uploaded file is no longer kept. Upload it again.",
    "csv.sum_wrong": (
        "The numbers do not add up, so this import does not count as complete. Upload the file again; what is here "
        "already stays as it is."
    ),
    "csv.no_name_column": "Choose a column for the name or the e-mail, or nobody can tell who a row is about.",
    "csv.no_company_name_column": "Choose a column for the company's name.",
    "csv.chosen_twice": "Two columns are chosen as {label}. Leave one of them out.",
    "csv.no_age": "Say how old this file is: where a row and a record here differ, the more current one stays.",
    "csv.too_many_lists": (
        "The column {heading} names more than {limit} lists, so it seems to hold something else. Choose another "
        "column, or leave it out."
    ),
    "csv.no_such_list": "This list is not there any more. Choose another one.",
}
ROWS: Mapping[str, str] = {
    "csv.nothing": "Has neither a name nor an e-mail nor a phone.",
    "csv.nameless": "Has no name.",
    "csv.too_many_cells": "Has more cells than there are headings, so its values may stand in the wrong columns.",
    "csv.row_cut": "The file ends in the middle of this row.",
    "csv.same_row": "Is in the file before, on line {before}.",
    "csv.deleted_here": "Was deleted here. Bring it back first, then import it again.",
    "csv.merged_here": "Was merged into another record here.",
    "csv.claimed": "Fits the same record here as line {before} of the file.",
    "csv.skipped": "You chose Skip.",
    "csv.vanished": "The record it belongs to was deleted or merged here while you looked at the preview.",
    "csv.not_storable": "Could not be stored: {detail}",
    "weak": "May be one of yours, but the evidence is too weak to merge by itself.",
    "several": "Several of yours fit.",
}
SENTENCES: Mapping[str, str] = {**FILES, **ROWS}


class CsvRefused(ValueError):
    """The file, or what was chosen for it, cannot be imported; `sentence` tells the person why and what to do."""

    def __init__(self, code: str, **facts: object) -> None:
        self.code, self.sentence = code, SENTENCES[code].format(**facts)
        super().__init__(self.sentence)


def row_sentence(code: str, facts: Mapping[str, object]) -> str:
    """Why a row was singled out; `facts` may hold more than the sentence names."""
    return ROWS.get(code, code).format_map(_Known(facts))


class _Known(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"
