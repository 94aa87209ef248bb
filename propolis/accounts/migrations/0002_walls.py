"""Walls between tenants in the database itself."""

from django.db import migrations

from propolis.accounts import audit_guard
from propolis.accounts.composite import composite_keys


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        composite_keys("accounts"),
        migrations.RunPython(
            lambda apps, editor: audit_guard.install(editor.connection), migrations.RunPython.noop
        ),
    ]
