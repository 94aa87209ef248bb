"""Where a gone customer's contacts went is found by an index."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from propolis.bridge.merged_there import install


def _install(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    install(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("bridge", "0006_unlinked"), ("history", "0004_by_hand")]

    operations = [migrations.RunPython(_install, migrations.RunPython.noop)]
