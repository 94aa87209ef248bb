"""O'Brien is found by "obrien": names are in the search's index without apostrophes too."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from propolis.crm.finding_index import install


def _install(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    install(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("crm", "0010_lists_by_their_whole_name")]

    operations = [migrations.RunPython(_install, migrations.RunPython.noop)]
