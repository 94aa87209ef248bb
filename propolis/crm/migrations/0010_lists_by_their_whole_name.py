"""A list is known by its whole name; until now words such as "CO" or "The" were left out, as of a business."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from propolis.crm.keys import list_key


def _anew(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    lists = apps.get_model("crm", "List")._base_manager.using(editor.connection.alias)
    rows = list(lists.order_by("account_id", "pk"))
    for row in rows:  # out of each other's way first
        lists.filter(pk=row.pk).update(name_key=str(row.uid))
    taken = set()
    for row in rows:
        key = list_key(row.name)
        if (row.account_id, key) in taken:
            key = f"{key[:160]} {row.uid}"
        taken.add((row.account_id, key))
        lists.filter(pk=row.pk).update(name_key=key)


class Migration(migrations.Migration):
    dependencies = [("crm", "0009_opportunities_by_amount")]

    operations = [migrations.RunPython(_anew, migrations.RunPython.noop)]
