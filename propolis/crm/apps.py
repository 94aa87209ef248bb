from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "propolis.crm"
    label = "crm"
