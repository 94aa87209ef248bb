"""PostgreSQL keeps what may not be from Syncro."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from propolis.bridge.health_panels import UNLINKED


def _install(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    for each in UNLINKED.values():
        each.install(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("bridge", "0005_customers_by_index"), ("crm", "0008_unlisted")]

    operations = [migrations.RunPython(_install, migrations.RunPython.noop)]
