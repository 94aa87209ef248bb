"""Who may go where: every address of the site by its name, with what it answers to whom.

A new address needs a row here; the matrix (test_matrix.py) says so when it is missing. A row says

- who may: a `Verb` of propolis/accounts/policy.py for pages of an account, `SIGNED_IN` for a person's own pages,
  `ANYBODY` for pages one meets before signing in;
- with which methods something happens there (HEAD goes with GET); all others must do nothing;
- `ids`: for each part of the address, the name of an id in `world.py`, or the text that stands there.
  Addresses with an id are tried with another account's ids as well;
- `form`: what POST needs to be more than a form with nothing in it, by the same names.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from propolis.accounts.policy import Verb


class Open(enum.Enum):
    """Pages that ask for no role type."""

    ANYBODY = "anybody"
    SIGNED_IN = "signed in"


@dataclass(frozen=True)
class Row:
    who: Verb | Open
    methods: frozenset[str]
    ids: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)

    @property
    def of_account(self) -> bool:
        return isinstance(self.who, Verb)

    @property
    def has_ids(self) -> bool:
        return bool({"pk", "number", "change"} & set(self.ids))


SIGNED_IN, ANYBODY = Open.SIGNED_IN, Open.ANYBODY


def _row(who: Verb | Open, methods: str, *, form: dict[str, str] | None = None, **ids: str) -> Row:
    served = set(methods.split())
    return Row(who, frozenset(served | ({"HEAD"} if "GET" in served else set())), ids, form or {})


TABLE: dict[str, Row] = {
    # Before an account is entered
    "home": _row(SIGNED_IN, "GET"),
    "choose": _row(SIGNED_IN, "GET"),
    "healthz": _row(ANYBODY, "GET"),
    "profile": _row(SIGNED_IN, "GET POST"),
    "theme": _row(SIGNED_IN, "POST"),
    "invite": _row(ANYBODY, "GET POST", token="wrong"),
    "auth/email/": _row(ANYBODY, "GET"),
    # allauth's: sign-in, passwords, second factor, sessions
    "account_login": _row(ANYBODY, "GET POST"),
    "account_logout": _row(ANYBODY, "GET POST"),
    "account_inactive": _row(ANYBODY, "GET"),
    "account_signup": _row(ANYBODY, "GET"),
    "account_reauthenticate": _row(SIGNED_IN, "GET POST"),
    "account_email": _row(ANYBODY, "GET"),
    "account_email_verification_sent": _row(ANYBODY, "GET"),
    "account_change_password": _row(SIGNED_IN, "GET POST"),
    "account_set_password": _row(SIGNED_IN, "GET POST"),
    "account_reset_password": _row(ANYBODY, "GET POST"),
    "account_confirm_login_code": _row(SIGNED_IN, "GET POST"),
    "account_confirm_email": _row(ANYBODY, "GET POST", key="in_sync"),
    "account_reset_password_from_key_done": _row(ANYBODY, "GET"),
    "account_reset_password_from_key": _row(ANYBODY, "GET POST", key="in_sync", uidb36="1"),
    "account_reset_password_done": _row(ANYBODY, "GET"),
    "mfa_index": _row(SIGNED_IN, "GET"),
    "mfa_authenticate": _row(SIGNED_IN, "GET POST"),
    "mfa_reauthenticate": _row(SIGNED_IN, "GET POST"),
    "mfa_activate_totp": _row(SIGNED_IN, "GET POST"),
    "mfa_deactivate_totp": _row(SIGNED_IN, "GET POST"),
    "mfa_view_recovery_codes": _row(SIGNED_IN, "GET"),
    "mfa_generate_recovery_codes": _row(SIGNED_IN, "GET POST"),
    "mfa_download_recovery_codes": _row(SIGNED_IN, "GET"),
    "mfa_list_webauthn": _row(SIGNED_IN, "GET"),
    "mfa_add_webauthn": _row(SIGNED_IN, "GET POST"),
    "mfa_reauthenticate_webauthn": _row(SIGNED_IN, "GET POST"),
    "mfa_remove_webauthn": _row(SIGNED_IN, "GET POST", pk="1"),
    "mfa_edit_webauthn": _row(SIGNED_IN, "GET POST", pk="1"),
    "mfa_login_webauthn": _row(ANYBODY, "GET POST"),
    "usersessions_list": _row(SIGNED_IN, "GET POST"),
    # An account's settings
    "accounts:settings": _row(Verb.SEE, "GET"),
    "accounts:account": _row(Verb.SETTINGS, "GET POST"),
    "accounts:audit": _row(Verb.AUDIT, "GET"),
    "accounts:users": _row(Verb.USERS, "GET"),
    "accounts:user_new": _row(Verb.USERS, "GET POST"),
    "accounts:users_invite": _row(Verb.USERS, "GET POST"),
    "accounts:user": _row(Verb.USERS, "GET POST", pk="member"),
    "accounts:user_link": _row(Verb.USERS, "POST", pk="member"),
    "accounts:user_revoke": _row(Verb.USERS, "POST", pk="member"),
    "accounts:user_disable": _row(Verb.USERS, "POST", pk="member"),
    "accounts:user_enable": _row(Verb.USERS, "POST", pk="member"),
    # The integration: connection, users, steps
    "bridge:integrations": _row(Verb.IMPORT, "GET"),
    "bridge:syncro": _row(Verb.IMPORT, "GET"),
    "bridge:connection": _row(Verb.CONNECT, "GET POST"),
    "bridge:connection_check": _row(Verb.CONNECT, "POST"),
    "bridge:connection_check_saved": _row(Verb.CONNECT, "POST"),
    "bridge:connection_replace": _row(Verb.CONNECT, "POST"),
    "bridge:connection_disconnect": _row(Verb.CONNECT, "GET POST"),
    "bridge:users": _row(Verb.IMPORT, "GET"),
    "bridge:users_read": _row(Verb.IMPORT, "POST"),
    "bridge:users_details": _row(Verb.IMPORT, "POST"),
    "bridge:users_roles": _row(Verb.IMPORT, "POST"),
    "bridge:users_invite": _row(Verb.USERS, "GET POST"),
    "bridge:users_me": _row(Verb.IMPORT, "POST"),
    "bridge:user_match": _row(Verb.IMPORT, "GET POST", pk="remote_user"),
    "bridge:user_hand_over": _row(Verb.IMPORT, "GET POST", form={"to": "salesperson"}, pk="remote_user"),
    "bridge:user_link": _row(Verb.USERS, "POST", pk="member"),
    "bridge:user_revoke": _row(Verb.USERS, "POST", pk="member"),
    "bridge:companies": _row(Verb.IMPORT, "GET"),
    "bridge:contacts": _row(Verb.IMPORT, "GET"),
    "bridge:opportunities": _row(Verb.IMPORT, "GET"),
    "bridge:statuses": _row(Verb.IMPORT, "POST"),
    # Imports, their undo, the schedule
    "bridge:imports": _row(Verb.IMPORT, "GET"),
    "bridge:import_start": _row(Verb.IMPORT, "POST"),
    "bridge:import_pill": _row(Verb.SEE, "GET"),
    "bridge:import_run": _row(Verb.IMPORT, "GET", number="import"),
    "bridge:import_progress": _row(Verb.IMPORT, "GET", number="import"),
    "bridge:import_pause": _row(Verb.IMPORT, "POST", number="import"),
    "bridge:import_resume": _row(Verb.IMPORT, "POST", number="import"),
    "bridge:import_stop": _row(Verb.IMPORT, "POST", number="import"),
    "bridge:import_confirm": _row(Verb.IMPORT, "POST", number="import"),
    "bridge:import_retry": _row(Verb.IMPORT, "POST", number="import"),
    "bridge:import_csv": _row(Verb.IMPORT, "GET", number="import"),
    "bridge:undo": _row(Verb.UNDO_RUN, "GET", number="import"),
    "bridge:undo_begin": _row(Verb.UNDO_RUN, "POST", number="import"),
    "bridge:undo_progress": _row(Verb.UNDO_RUN, "GET", number="import"),
    "bridge:undo_confirm": _row(Verb.UNDO_RUN, "POST", number="import"),
    "bridge:undo_cancel": _row(Verb.UNDO_RUN, "POST", number="import"),
    "bridge:undo_resume": _row(Verb.UNDO_RUN, "POST", number="import"),
    "bridge:undo_kept": _row(Verb.UNDO_RUN, "GET", number="import"),
    "bridge:schedule": _row(Verb.IMPORT, "GET POST"),
    "bridge:schedule_off": _row(Verb.IMPORT, "POST"),
    # What needs a person; sync health
    "bridge:review": _row(Verb.IMPORT, "GET"),
    "bridge:review_decisions": _row(Verb.IMPORT, "GET"),
    "bridge:review_accept": _row(Verb.IMPORT, "GET POST"),
    "bridge:review_one": _row(Verb.IMPORT, "GET", pk="review"),
    "bridge:review_decide": _row(Verb.IMPORT, "POST", pk="review"),
    "bridge:review_ask_again": _row(Verb.IMPORT, "POST", pk="review"),
    "bridge:health": _row(Verb.IMPORT, "GET"),
    "bridge:health_retry": _row(Verb.IMPORT, "POST"),
    "bridge:remembered": _row(Verb.IMPORT, "GET"),
    "bridge:bring_back": _row(Verb.IMPORT, "POST", pk="link"),
    "bridge:put_back": _row(Verb.IMPORT, "POST", pk="off_list"),
    "bridge:health_csv": _row(Verb.IMPORT, "GET", key="in_sync"),
    "bridge:health_list": _row(Verb.IMPORT, "GET", key="in_sync"),
    # Backups
    "bridge:backups": _row(Verb.BACKUP, "GET"),
    "bridge:backups_making": _row(Verb.BACKUP, "GET"),
    "bridge:backup_make": _row(Verb.BACKUP, "POST"),
    "bridge:backup_upload": _row(Verb.RESTORE, "GET POST"),
    "bridge:backup_download": _row(Verb.BACKUP, "GET", pk="backup"),
    "bridge:backup_verify": _row(Verb.BACKUP, "POST", pk="backup"),
    "bridge:backup_delete": _row(Verb.BACKUP, "GET POST", pk="backup"),
    "bridge:backup_restore": _row(Verb.RESTORE, "POST", pk="backup"),
    "bridge:restore": _row(Verb.RESTORE, "GET", number="restore"),
    "bridge:restore_progress": _row(Verb.RESTORE, "GET", number="restore"),
    "bridge:restore_confirm": _row(Verb.RESTORE, "POST", number="restore"),
    "bridge:restore_cancel": _row(Verb.RESTORE, "POST", number="restore"),
    # Send to Syncro
    "bridge:send_company": _row(Verb.SEND, "GET POST", pk="company"),
    "bridge:send_company_settle": _row(Verb.SEND, "POST", pk="company"),
    "bridge:send_contact": _row(Verb.SEND, "GET POST", pk="imported"),
    "bridge:send_contact_settle": _row(Verb.SEND, "POST", pk="imported"),
    "bridge:user_relink": _row(Verb.IMPORT, "POST", pk="remote_user"),
    "bridge:choices": _row(Verb.IMPORT, "GET POST"),
    "bridge:choices_answer": _row(Verb.IMPORT, "POST"),
    "bridge:send_company_undo": _row(Verb.SEND, "GET POST", change="sent_company", pk="company"),
    "bridge:send_contact_undo": _row(Verb.SEND, "GET POST", change="sent_contact", pk="imported"),
    "bridge:send_rule": _row(Verb.SETTINGS, "POST"),
    # The CRM
    "crm:dashboard": _row(Verb.SEE, "GET"),
    "crm:companies": _row(Verb.SEE, "GET"),
    "crm:contacts": _row(Verb.SEE, "GET"),
    "crm:opportunities": _row(Verb.SEE, "GET"),
    "crm:board": _row(Verb.SEE, "GET"),
    "crm:company_new": _row(Verb.EDIT_CRM, "GET POST"),
    "crm:company_edit": _row(Verb.EDIT_CRM, "GET POST", pk="company"),
    "crm:company_field": _row(Verb.EDIT_CRM, "GET POST", name="city", pk="company"),
    "crm:company_next_step": _row(Verb.EDIT_CRM, "GET POST", pk="company"),
    "crm:company_delete": _row(Verb.EDIT_CRM, "POST", pk="company"),
    "crm:company_restore": _row(Verb.EDIT_CRM, "POST", pk="deleted_company"),
    "crm:company_note": _row(Verb.EDIT_CRM, "POST", pk="company"),
    "crm:contact_new": _row(Verb.EDIT_CRM, "GET POST"),
    "crm:contact_edit": _row(Verb.EDIT_CRM, "GET POST", pk="contact"),
    "crm:contact_field": _row(Verb.EDIT_CRM, "GET POST", name="city", pk="contact"),
    "crm:contact_delete": _row(Verb.EDIT_CRM, "POST", pk="contact"),
    "crm:contact_restore": _row(Verb.EDIT_CRM, "POST", pk="contact"),
    "crm:contact_note": _row(Verb.EDIT_CRM, "POST", pk="contact"),
    "crm:opportunity_new": _row(Verb.OPPORTUNITIES, "GET POST"),
    "crm:opportunity_edit": _row(Verb.OPPORTUNITIES, "GET POST", pk="opportunity"),
    "crm:opportunity_field": _row(Verb.OPPORTUNITIES, "GET POST", name="amount", pk="opportunity"),
    "crm:opportunity_next_step": _row(Verb.OPPORTUNITIES, "GET POST", pk="opportunity"),
    "crm:opportunity_delete": _row(Verb.OPPORTUNITIES, "POST", pk="opportunity"),
    "crm:opportunity_restore": _row(Verb.OPPORTUNITIES, "POST", pk="opportunity"),
    "crm:opportunity_note": _row(Verb.OPPORTUNITIES, "POST", pk="opportunity"),
    "crm:company": _row(Verb.SEE, "GET", pk="company"),
    "crm:contact": _row(Verb.SEE, "GET", pk="contact"),
    "crm:contact_lists": _row(Verb.LIST_MEMBERS, "POST", pk="contact"),
    "crm:contact_mail": _row(Verb.LISTS, "POST", pk="contact"),
    "crm:opportunity": _row(Verb.SEE, "GET", pk="opportunity"),
    "crm:opportunity_move": _row(Verb.OPPORTUNITIES, "GET POST", form={"status": "status"}, pk="opportunity"),
    "crm:opportunity_add_company": _row(Verb.OPPORTUNITIES, "POST", pk="prospect"),
    "crm:company_merge": _row(Verb.EDIT_CRM, "GET POST", pk="company"),
    "crm:contact_merge": _row(Verb.EDIT_CRM, "GET POST", pk="contact"),
    "crm:contact_export": _row(Verb.EXPORT, "GET"),
    "crm:mailing_csv": _row(Verb.EXPORT, "GET"),
    "crm:export_csv": _row(Verb.EXPORT, "GET", page="contacts"),
    "crm:lists": _row(Verb.SEE, "GET"),
    "crm:list_new": _row(Verb.LISTS, "GET POST"),
    "crm:list": _row(Verb.SEE, "GET", pk="list"),
    "crm:list_edit": _row(Verb.LISTS, "GET POST", pk="list"),
    "crm:list_delete": _row(Verb.LISTS, "POST", pk="list"),
    "crm:columns": _row(Verb.SEE, "POST", page="contacts"),
    "crm:bulk": _row(Verb.SEE, "POST", page="contacts"),
    "crm:search": _row(Verb.SEE, "GET"),
    "crm:pick": _row(Verb.SEE, "GET", page="contacts"),
    "crm:undo": _row(Verb.UNDO_OWN, "POST", pk="change"),
    "crm:amounts": _row(Verb.OPPORTUNITIES, "GET POST"),
    "crm:amount_cell": _row(Verb.OPPORTUNITIES, "POST", pk="opportunity", name="amount"),
    "crm:duplicates": _row(Verb.SEE, "GET"),
    "crm:duplicates_search": _row(Verb.EDIT_CRM, "POST"),
    "crm:not_duplicates": _row(Verb.EDIT_CRM, "POST", pk="pair"),
    "crm:duplicates_again": _row(Verb.EDIT_CRM, "POST", pk="said"),
    "crm:statuses": _row(Verb.SETTINGS, "GET POST"),
    "crm:status": _row(Verb.SETTINGS, "GET POST", pk="status"),
    "crm:status_move": _row(Verb.SETTINGS, "POST", pk="status"),
    "crm:status_archive": _row(Verb.SETTINGS, "GET POST", pk="status"),
    "crm:status_back": _row(Verb.SETTINGS, "POST", pk="archived"),
    "crm:csv_import": _row(Verb.CSV_IMPORT, "GET POST"),
    "crm:csv_run": _row(Verb.CSV_IMPORT, "GET", number="csv"),
    "crm:csv_columns": _row(Verb.CSV_IMPORT, "POST", number="csv"),
    "crm:csv_confirm": _row(Verb.CSV_IMPORT, "POST", number="csv"),
    "crm:csv_ask": _row(Verb.CSV_IMPORT, "POST", number="csv"),
    "crm:csv_progress": _row(Verb.CSV_IMPORT, "GET", number="csv"),
    "crm:csv_review": _row(Verb.CSV_IMPORT, "GET POST", number="csv", pk="csv_row"),
    "crm:csv_problems": _row(Verb.CSV_IMPORT, "GET", number="csv"),
    "crm:my_companies": _row(Verb.EDIT_CRM, "GET POST"),
    "crm:hand_over": _row(Verb.USERS, "GET POST", pk="salesperson"),
    "crm:hand_back": _row(Verb.UNDO_OWN, "POST", pk="handed"),
}
