from django.apps import AppConfig


class BridgeConfig(AppConfig):
    name = "propolis.bridge"
    label = "bridge"

    def ready(self) -> None:
        from propolis.bridge import backup_jobs, importing, integration  # noqa: F401 - jobs register

        integration.register()
