"""A second wall on PostgreSQL: foreign keys on (account_id, x_id), so no row points into another account."""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Every tenant foreign key between tenant tables. Model → its references whose target has UNIQUE(account, id).
TARGETS = (
    "crm.Company",
    "crm.Contact",
    "crm.List",
    "crm.OppStatus",
    "crm.Opportunity",
    "bridge.Connection",
    "accounts.Membership",
    "runs.Run",
)


def composite_keys(app_label: str) -> migrations.RunPython:
    """A migration step adding the composite keys of one app's models; SQLite can't, so nothing there."""

    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor != "postgresql":
            return
        for model in apps.get_app_config(app_label).get_models():
            for statement in _statements(model):
                editor.execute(statement)

    return migrations.RunPython(forwards, migrations.RunPython.noop)


def _statements(model: Any) -> list[str]:
    table = model._meta.db_table
    names = {f.name for f in model._meta.fields}
    if "account" not in names:
        return []
    found = []
    for field in model._meta.fields:
        target = field.related_model
        if target is None or target._meta.label not in TARGETS:
            continue
        name = f"{table}_{field.column}_acct"[:60]
        found.append(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY (account_id, "{field.column}") '
            f'REFERENCES "{target._meta.db_table}" (account_id, id) DEFERRABLE INITIALLY DEFERRED'
        )
    return found
