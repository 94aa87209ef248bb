from django.apps import AppConfig


class BridgeConfig(AppConfig):
    name = "propolis.bridge"
    label = "bridge"

    def ready(self) -> None:
        from propolis.bridge import backup_jobs, importing  # noqa: F401 - they register their jobs
        from propolis.bridge import integration

        integration.register()
