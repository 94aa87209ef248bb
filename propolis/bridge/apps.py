from django.apps import AppConfig


class BridgeConfig(AppConfig):
    name = "propolis.bridge"
    label = "bridge"

    def ready(self) -> None:
        from propolis.bridge import (  # noqa: F401 - jobs register
            backup_jobs,
            export_panels,
            exporting,
            health_panels,
            importing,
            integration,
            remembered,
            undo_links,
            undoing,
        )

        integration.register()
        undo_links.register()
        remembered.register()
        health_panels.register()
        export_panels.register()
