"""The small parts of a restore: the account's settings, the connection's choices, schedules, statuses."""

from __future__ import annotations

import zoneinfo
from typing import Any, Final

from propolis.accounts.csv_cells import original
from propolis.accounts.models import Account
from propolis.bridge.backup_format import BackupFile, BackupRefused, Manifest
from propolis.bridge.backup_snapshot import cells_of
from propolis.bridge.backup_tables import CONNECTION, STATUSES
from propolis.bridge.backup_writing import Writer
from propolis.bridge.models import Connection, Link, StatusMap
from propolis.crm.models import Company, Contact, Note, Opportunity, OppStatus
from propolis.runs.models import Schedule
from propolis.syncro.address import HOSTS

OFF_BECAUSE: Final = "A backup was restored"
_ADDRESS: Final = ("label", "host", "remote_account", "remote_user_id")
_READ: Final = (
    *("users_read_at", "companies_read_at", "contacts_read_at", "opportunities_read_at", "watermark"),
)


def is_empty(account: Account) -> bool:
    """Whether the account, which is in scope, has no records yet: any backup may be restored into it."""
    models: tuple[Any, ...] = (Company, Contact, Opportunity, Note, Link)
    return not any(model.objects.filter(account=account).exists() for model in models)


def refuse_foreign(account: Account, manifest: Manifest) -> bool:
    """Whether the backup goes into an empty account. Raises `BackupRefused` for another account's backup
    where there are records already."""
    if is_empty(account):
        return True
    if manifest.account.uid == str(account.uid):
        return False
    raise BackupRefused("backup.other_account", theirs=manifest.account.name, ours=account.name)


def settings_differ(account: Account, file: BackupFile) -> bool:
    """Whether the connection's choices are not what they were."""
    return list(file.rows(CONNECTION)) != list(cells_of(account, CONNECTION))


def put_settings(account: Account, file: BackupFile, writer: Writer, *, whole: bool) -> None:
    """The account's region, time zone and currency, the connection's choices; schedules off.

    `whole`: the account was empty, so the name and the Syncro address come too, without a token.
    """
    _put_account(account, file, whole=whole)
    Schedule.objects.filter(account=account, enabled=True).update(enabled=False, off_because=OFF_BECAUSE)
    then = list(file.rows(CONNECTION))
    for cells in then:
        _put_choices(writer.connection(), writer.values(CONNECTION, cells))
    if not then:
        nothing_read = dict.fromkeys(_READ, None)
        Connection.objects.filter(account=account).update(**nothing_read)


def _put_account(account: Account, file: BackupFile, *, whole: bool) -> None:
    then = file.manifest.account
    if len(then.phone_region) == 2 and then.phone_region.isalpha():
        account.phone_region = then.phone_region.upper()
    if then.time_zone in zoneinfo.available_timezones():
        account.time_zone = then.time_zone
    if len(then.currency) == 3 and then.currency.isalpha():
        account.currency = then.currency.upper()
    if whole:
        account.name = then.name[:200] or account.name
    account.save(update_fields=["phone_region", "time_zone", "currency", "name"])


def _put_choices(connection: Connection, values: dict[str, Any]) -> None:
    """The token stays where it fits: it never comes from a backup, and it goes where the backup was linked to
    another Syncro account than the present one."""
    for column in CONNECTION.columns:
        if column.name not in _ADDRESS:
            setattr(
                connection, column.attribute, _not_null(connection, column.attribute, values[column.name])
            )
    other = bool(connection.remote_account) and connection.remote_account != values["remote_account"]
    if other or not connection.token_cipher:
        _put_address(connection, values)
    connection.save()


def _put_address(connection: Connection, values: dict[str, Any]) -> None:
    for name in _ADDRESS:
        setattr(connection, name, values[name])
    if connection.host not in HOSTS:
        connection.label = connection.host = ""
    connection.base_url = ""
    connection.token_cipher = None
    connection.key_id = connection.last4 = ""
    connection.permissions = {}
    connection.state = Connection.State.DISCONNECTED


def _not_null(row: Any, attribute: str, value: Any) -> Any:
    field = row._meta.get_field(attribute)
    return field.get_default() if value is None and not field.null else value


def remove_unused_statuses(account: Account, file: BackupFile) -> int:
    """Statuses made since the backup that no opportunity and no mapping needs; how many went."""
    (name,) = STATUSES.places(("name",))
    kept = {original(cells[name]) for cells in file.rows(STATUSES)}
    used = set(Opportunity.objects.filter(account=account).values_list("status_id", flat=True).distinct())
    used |= set(StatusMap.objects.filter(account=account).values_list("status_id", flat=True).distinct())
    extra = [
        status.pk
        for status in OppStatus.objects.filter(account=account)
        if status.name not in kept and status.pk not in used
    ]
    OppStatus.objects.filter(pk__in=extra).delete()
    return len(extra)
