"""A mail server that is not there."""

from typing import Any

from django.core.mail.backends.base import BaseEmailBackend


class DeafMail(BaseEmailBackend):
    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError(111, "Connection refused")
