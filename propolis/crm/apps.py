from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "propolis.crm"
    label = "crm"

    def ready(self) -> None:
        from propolis.crm.kinds import register_kinds

        register_kinds()
