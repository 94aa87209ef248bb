from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "propolis.accounts"
    label = "accounts"
