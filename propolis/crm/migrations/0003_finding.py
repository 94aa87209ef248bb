"""Indexes that keep tables, filters and search fast at a million rows."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from propolis.crm.finding_index import install


def _install(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    install(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_walls")]

    operations = [
        migrations.AlterField(
            model_name="listmember",
            name="contact",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="on_lists",
                to="crm.contact",
            ),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                fields=["account", "salesperson", "sort_name", "id"], name="company_by_salesperson"
            ),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                condition=models.Q(("disabled_in_syncro", True)),
                fields=["account", "sort_name", "id"],
                name="company_disabled",
            ),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)),
                fields=["account", "sort_name", "id"],
                name="company_deleted",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                fields=["account", "salesperson", "sort_name", "id"], name="contact_by_salesperson"
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)),
                fields=["account", "sort_name", "id"],
                name="contact_deleted",
            ),
        ),
        migrations.AddIndex(
            model_name="listmember",
            index=models.Index(fields=["list", "state", "contact"], name="listmember_counted"),
        ),
        migrations.AddIndex(
            model_name="listmember",
            index=models.Index(fields=["contact", "state"], name="listmember_of_contact"),
        ),
        migrations.RunPython(_install, migrations.RunPython.noop),
    ]
