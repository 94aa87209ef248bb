from django.apps import AppConfig


class BridgeConfig(AppConfig):
    name = "propolis.bridge"
    label = "bridge"
