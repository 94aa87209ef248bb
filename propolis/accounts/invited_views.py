"""The page behind an invitation's link."""

from __future__ import annotations

from allauth.account.signals import user_logged_in
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.password_validation import password_validators_help_texts
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from propolis.accounts import invitations
from propolis.accounts.forms import AcceptForm
from propolis.accounts.models import Invitation, User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@never_cache
@sensitive_post_parameters("password")
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Somebody new chooses a password; somebody with a sign-in joins with it, after signing in."""
    invitation = invitations.find(token)
    if invitation is None:
        return render(request, "accounts/invitation_dead.html", status=404)
    email = invitation.membership.email_key
    if request.user.is_authenticated and request.user.email != email:
        # Before anything else: who is signed in neither becomes somebody else by looking, nor learns whether
        # that address has a sign-in here.
        return render(request, "accounts/invitation_other.html", {"invitation": invitation}, status=403)
    user = User.objects.filter(email=email).first()
    if user is None:
        return _newcomer(request, invitation)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("account_login"))
    if request.method != "POST":
        return render(request, "accounts/invitation_join.html", {"invitation": invitation})
    return _joined(request, invitation, user)


def _newcomer(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    email = invitation.membership.email_key
    form = AcceptForm(request.POST or None, email=email, initial={"name": invitation.membership.name})
    if form.is_valid():
        user = User.objects.create_user(email, form.cleaned_data["password"], name=form.cleaned_data["name"])
        login(request, user, backend=BACKEND)
        user_logged_in.send(sender=User, request=request, user=user)
        return _joined(request, invitation, user, name=user.name)
    rules = password_validators_help_texts()
    return render(
        request, "accounts/invitation.html", {"form": form, "invitation": invitation, "rules": rules}
    )


def _joined(request: HttpRequest, invitation: Invitation, user: User, name: str = "") -> HttpResponse:
    if invitations.accept(invitation, user, name=name) is None:
        return render(request, "accounts/invitation_dead.html", status=404)
    messages.success(request, f"Welcome to {invitation.account.name}.")
    return redirect(f"/{invitation.account.slug}/")
