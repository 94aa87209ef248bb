from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "propolis.accounts"
    label = "accounts"

    def ready(self) -> None:
        from propolis.accounts import lookups, sign_in_log, sqlite_statistics
        from propolis.ui.navigation import register_settings

        lookups.register()
        sqlite_statistics.register(self)
        sign_in_log.connect()
        register_settings(
            "You", "Profile", "profile", "circle-user-round", of_person=True, order=1,
            says="Name, theme and time zone",
        )  # fmt: skip
        register_settings(
            "You", "Password", "account_change_password", "key-round", of_person=True, order=2,
            belongs=("account_set_password",), says="Change your password",
        )  # fmt: skip
        register_settings(
            "You", "Two-step sign-in", "mfa_index", "shield-check", of_person=True, order=3,
            belongs=("mfa_activate_totp", "mfa_deactivate_totp", "mfa_list_webauthn", "mfa_add_webauthn",
                     "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_edit_webauthn",
                     "mfa_remove_webauthn"),
            says="Authenticator app, passkeys and recovery codes",
        )  # fmt: skip
        register_settings(
            "You", "Sessions", "usersessions_list", "monitor-smartphone", of_person=True, order=4,
            says="Where you are signed in",
        )  # fmt: skip
        register_settings(
            "Workspace", "Account", "accounts:account", "building", verb="SETTINGS", order=1,
            says="Name, time zone, currency",
        )  # fmt: skip
        register_settings(
            "Workspace", "Users", "accounts:users", "users", verb="USERS", order=2,
            belongs=("accounts:user", "accounts:user_new", "accounts:users_invite", "accounts:user_link"),
            says="Role types and invitations",
        )  # fmt: skip
        register_settings(
            "Workspace", "Audit log", "accounts:audit", "scroll-text", verb="AUDIT", order=9,
            says="Who did what, and when",
        )  # fmt: skip
