"""The keys that composite ones have made needless."""

from django.db import migrations

from propolis.accounts.composite import only_composite_keys


class Migration(migrations.Migration):
    dependencies = [("runs", "0003_bells_and_losses")]
    operations = [only_composite_keys("runs")]
