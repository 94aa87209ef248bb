"""Forms of accounts and people."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password

from propolis.accounts.models import Account, Membership, User


@cache
def time_zones() -> list[tuple[str, str]]:
    """Every region/city zone, named for reading: ("America/New_York", "America, New York"). Python finds them by
    walking through folders."""
    regions = (
        "Africa",
        "America",
        "Antarctica",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    )
    names = sorted(z for z in zoneinfo.available_timezones() if z.split("/")[0] in regions)
    return [("UTC", "UTC")] + [(n, n.replace("_", " ").replace("/", ", ")) for n in names]


class ProfileForm(forms.ModelForm[User]):
    """What a person says about themselves."""

    class Meta:
        model = User
        fields = ("name", "theme", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        self.fields["name"].widget.attrs["autocomplete"] = "name"
        self.fields["theme"] = forms.ChoiceField(
            choices=User.THEMES, required=False, widget=forms.RadioSelect, label="Theme"
        )
        self.fields["time_zone"] = forms.ChoiceField(
            choices=[("", "As the account"), *time_zones()], required=False, label="Time zone"
        )


class AccountForm(forms.ModelForm[Account]):
    """The account itself; its slug stays, since every address begins with it."""

    class Meta:
        model = Account
        fields = ("name", "time_zone", "phone_region", "currency")
        labels = {"name": "Account name", "phone_region": "Country of phone numbers"}
        help_texts = {
            "phone_region": "Two letters, such as US. Numbers without + are read as numbers there.",
            "currency": "Three letters, such as USD.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"] = forms.ChoiceField(choices=time_zones(), label="Time zone")

    def clean_phone_region(self) -> str:
        import phonenumbers

        region = str(self.cleaned_data["phone_region"]).upper()
        if region not in phonenumbers.SUPPORTED_REGIONS:
            raise forms.ValidationError("Enter the two letters of a country, such as US or DE.")
        return region

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        if len(currency) != 3 or not currency.isalpha() or not currency.isascii():
            raise forms.ValidationError("Enter the three letters of a currency, such as USD or EUR.")
        return currency


class MemberForm(forms.Form):
    """A new person, or another's role types."""

    name = forms.CharField(max_length=200)
    email = forms.EmailField(label="E-mail")
    is_admin = forms.BooleanField(
        label="Admin",
        required=False,
        help_text="Connects Syncro, imports, undoes, invites. Everything below too.",
    )
    is_marketer = forms.BooleanField(
        label="Marketer", required=False, help_text="Works lists, imports and exports CSV files."
    )
    is_salesperson = forms.BooleanField(
        label="Salesperson", required=False, help_text="Works opportunities and sends to Syncro."
    )

    def __init__(self, *args: Any, membership: Membership | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.membership = membership
        if membership is not None:
            # What the page showed comes along, to be told apart from what somebody else changed since.
            for field in self.fields.values():
                field.show_hidden_initial = True
        if membership is not None and membership.user_id is not None:
            # Their sign-in address is theirs alone, and the same in every account.
            del self.fields["email"]

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).strip().lower()
        same = Membership.objects.filter(email_key=email)
        if self.membership is not None:
            same = same.exclude(pk=self.membership.pk)
        taken = same.first()
        if taken is not None:
            raise forms.ValidationError(f"{taken} already has this e-mail address here.")
        return email

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.membership is None and not any(data.get(f) for f in ROLE_FIELDS):
            self.add_error("is_salesperson", "Tick at least one role type: without one nobody can sign in.")
        return data


ROLE_FIELDS = ("is_admin", "is_marketer", "is_salesperson")


class AcceptForm(forms.Form):
    """The first password of somebody invited."""

    name = forms.CharField(max_length=200, label="Your name")
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        label="Choose a password",
        strip=False,
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        self.fields["name"].widget.attrs["autocomplete"] = "name"

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, User(email=self.email, name=self.data.get("name", "")))
        return password
