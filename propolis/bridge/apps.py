from django.apps import AppConfig


class BridgeConfig(AppConfig):
    name = "propolis.bridge"
    label = "bridge"

    def ready(self) -> None:
        from propolis.bridge import importing  # noqa: F401 - registers the job
