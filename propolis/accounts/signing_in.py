"""allauth's forms in our words."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as theirs


class _OurWords:
    """Labels say what a field is; placeholders that repeat them vanish when typing begins, so they go."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        for name, label in LABELS.items():
            if name in self.fields:
                self.fields[name].label = label


LABELS = {
    "login": "E-mail",
    "email": "E-mail",
    "remember": "Stay signed in",
    "oldpassword": "Password until now",
    "password1": "New password",
    "password2": "New password again",
}


class SignInForm(_OurWords, theirs.LoginForm):  # type: ignore[misc]
    pass


class ResetForm(_OurWords, theirs.ResetPasswordForm):  # type: ignore[misc]
    pass


class ResetKeyForm(_OurWords, theirs.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class ChangeForm(_OurWords, theirs.ChangePasswordForm):  # type: ignore[misc]
    pass


class AgainForm(_OurWords, theirs.ReauthenticateForm):  # type: ignore[misc]
    pass
