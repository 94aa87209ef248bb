"""Lists that move while they are read: a seeded technician edits, adds or deletes a row between two pages."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from .fixtures import FIXED_IDS
from .model import Kind
from .parameters import Params

if TYPE_CHECKING:
    from .sandbox import Sandbox

_NAMES: dict[Kind, str] = {"customers": "business_name", "contacts": "name", "leads": "ticket_subject"}
_NOTES: dict[Kind, str] = {"customers": "notes", "contacts": "notes", "leads": "ticket_description"}


class Shifter:
    """The same seed and the same requests give the same changes. Fixed records are left alone."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(f"shifting {seed}")
        self.done = 0

    def before_page(self, box: Sandbox, kind: Kind, params: Params) -> None:
        mode = str(box.switches["mutate_while_paging"])
        limit = box.switches.number("mutate_limit")
        if mode == "off" or str(params.get("page") or "1") in {"0", "1"} or (limit and self.done >= limit):
            return
        if mode == "mixed":
            mode = self._chance.choice(("edit", "insert", "delete"))
        self.done += 1
        self._change(box, kind, mode)

    def _change(self, box: Sandbox, kind: Kind, mode: str) -> None:
        if mode == "insert":
            box.create(kind, self._new(box, kind))
            return
        ids = [row_id for row_id in box.store.table(kind).by_created() if row_id not in FIXED_IDS]
        if not ids:
            return
        row_id = ids[self._chance.randrange(len(ids))]
        if mode == "edit":
            box.edit(kind, row_id, {_NOTES[kind]: f"Edited while read, {self.done}"})
        else:
            box.delete(kind, row_id)

    def _new(self, box: Sandbox, kind: Kind) -> dict[str, object]:
        fields: dict[str, object] = {_NAMES[kind]: f"Added while read {self.done}"}
        if kind == "contacts" and len(box.customers):
            customers = box.customers.by_created()
            fields["customer_id"] = customers[self._chance.randrange(len(customers))]
        return fields
