from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "propolis.runs"
    label = "runs"
