"""Indexes without the rows nobody looks up by them, and no keys that composite ones have made needless."""

import django.db.models.deletion
from django.db import migrations, models

from propolis.accounts.composite import only_composite_keys


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_walls"),
        ("bridge", "0002_walls"),
        ("crm", "0004_duplicate"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="link",
            name="link_primary_company",
        ),
        migrations.RemoveConstraint(
            model_name="link",
            name="link_primary_contact",
        ),
        migrations.RemoveConstraint(
            model_name="link",
            name="link_primary_opp",
        ),
        migrations.RemoveIndex(
            model_name="link",
            name="link_children",
        ),
        migrations.AlterField(
            model_name="link",
            name="company",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="links",
                to="crm.company",
            ),
        ),
        migrations.AlterField(
            model_name="link",
            name="contact",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="links",
                to="crm.contact",
            ),
        ),
        migrations.AlterField(
            model_name="link",
            name="opportunity",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="links",
                to="crm.opportunity",
            ),
        ),
        migrations.AddIndex(
            model_name="link",
            index=models.Index(
                condition=models.Q(("company__isnull", False)),
                fields=["company", "account"],
                name="link_of_company",
            ),
        ),
        migrations.AddIndex(
            model_name="link",
            index=models.Index(
                condition=models.Q(("contact__isnull", False)),
                fields=["contact", "account"],
                name="link_of_contact",
            ),
        ),
        migrations.AddIndex(
            model_name="link",
            index=models.Index(
                condition=models.Q(("opportunity__isnull", False)),
                fields=["opportunity", "account"],
                name="link_of_opp",
            ),
        ),
        migrations.AddIndex(
            model_name="link",
            index=models.Index(
                condition=models.Q(("parent_id__isnull", False)),
                fields=["connection", "kind", "parent_id"],
                name="link_children",
            ),
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.UniqueConstraint(
                condition=models.Q(("company__isnull", False), ("state", "linked")),
                fields=("connection", "kind", "company"),
                name="link_primary_company",
            ),
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.UniqueConstraint(
                condition=models.Q(("contact__isnull", False), ("state", "linked")),
                fields=("connection", "kind", "contact"),
                name="link_primary_contact",
            ),
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.UniqueConstraint(
                condition=models.Q(("opportunity__isnull", False), ("state", "linked")),
                fields=("connection", "kind", "opportunity"),
                name="link_primary_opp",
            ),
        ),
        only_composite_keys("bridge"),
    ]
