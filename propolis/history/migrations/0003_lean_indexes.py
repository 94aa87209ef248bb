"""Indexes without the rows nobody looks up by them, and no keys that composite ones have made needless."""

import django.db.models.deletion
from django.db import migrations, models

from propolis.accounts.composite import only_composite_keys


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_walls"),
        ("history", "0002_walls"),
        ("runs", "0003_bells_and_losses"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="change",
            name="change_timeline",
        ),
        migrations.AlterField(
            model_name="change",
            name="undoes",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="undone_by",
                to="history.change",
            ),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(
                condition=models.Q(("local_id__isnull", False)),
                fields=["account", "kind", "local_id", "-id"],
                name="change_timeline",
            ),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(
                condition=models.Q(("undoes__isnull", False)), fields=["undoes"], name="change_undone"
            ),
        ),
        only_composite_keys("history"),
    ]
