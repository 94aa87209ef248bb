"""Walls between tenants in the database itself."""

from django.db import migrations

from propolis.accounts.composite import composite_keys


class Migration(migrations.Migration):
    dependencies = [("runs", "0001_initial"), ("accounts", "0002_walls")]
    operations = [composite_keys("runs")]
