from django.apps import AppConfig


class HistoryConfig(AppConfig):
    name = "propolis.history"
    label = "history"
