from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "propolis.ui"
    label = "ui"
