"""PostgreSQL keeps who may be on no list."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from propolis.crm.lists import UNLISTED


def _install(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    UNLISTED.install(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("crm", "0007_sums_of_opportunities")]

    operations = [migrations.RunPython(_install, migrations.RunPython.noop)]
