from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "propolis.runs"
    label = "runs"

    def ready(self) -> None:
        from propolis.runs import schedules

        schedules.register()
