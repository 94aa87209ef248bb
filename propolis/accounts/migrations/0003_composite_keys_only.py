"""The keys that composite ones have made needless."""

from django.db import migrations

from propolis.accounts.composite import only_composite_keys


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_walls")]
    operations = [only_composite_keys("accounts")]
