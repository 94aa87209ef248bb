"""A second wall on PostgreSQL: foreign keys on (account_id, x_id), so no row points into another account."""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Field, Model

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


def only_composite_keys(app_label: str) -> migrations.RunPython:
    """A later step: where a composite key stands, Django's own key on the id alone goes. It says no more, and
    half of an import's checks at COMMIT were its."""

    def forwards(apps: Apps, editor: Any) -> None:
        if editor.connection.vendor != "postgresql":
            return
        for model in apps.get_app_config(app_label).get_models():
            for field in _pointing(model):
                for name in editor._constraint_names(model, [str(field.column)], foreign_key=True):
                    editor.execute(f'ALTER TABLE "{model._meta.db_table}" DROP CONSTRAINT "{name}"')

    return migrations.RunPython(forwards, migrations.RunPython.noop)


def _pointing(model: type[Model]) -> list[Field[Any, Any]]:
    """The model's references that have a composite key."""
    fields = model._meta.fields
    if "account" not in {field.name for field in fields}:
        return []
    return [f for f in fields if f.related_model is not None and f.related_model._meta.label in TARGETS]


def _statements(model: type[Model]) -> list[str]:
    table = model._meta.db_table
    found = []
    for field in _pointing(model):
        name = f"{table}_{field.column}_acct"[:60]
        target: Any = field.related_model
        found.append(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY (account_id, "{field.column}") '
            f'REFERENCES "{target._meta.db_table}" (account_id, id) DEFERRABLE INITIALLY DEFERRED'
        )
    return found
