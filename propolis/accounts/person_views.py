"""A person's own pages, the same in every account."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from propolis.accounts.forms import ProfileForm
from propolis.accounts.models import Membership, User
from propolis.accounts.requests import PersonRequest
from propolis.accounts.scoping import unscoped


@login_required
def profile(request: PersonRequest) -> HttpResponse:
    known_as = request.user.name
    form = ProfileForm(request.POST or None, instance=request.user)
    if form.is_valid():
        with transaction.atomic(), unscoped():
            form.save()
            # Colleagues see the new name too, where they knew the old one; an account that has its own keeps it.
            known = Membership.objects.filter(user=request.user, name=known_as)
            known.update(name=form.cleaned_data["name"])
        messages.success(request, "Profile saved.")
        return redirect("profile")
    # The frame shows the saved name, not the one just typed.
    request.user.refresh_from_db()
    return render(request, "accounts/profile.html", {"form": form})


@login_required
@require_POST
def theme(request: PersonRequest) -> HttpResponse:
    """Sets the theme and goes back to the page it was chosen on."""
    chosen = request.POST.get("theme", "")
    if chosen in dict(User.THEMES):
        User.objects.filter(pk=request.user.pk).update(theme=chosen)
    back = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if safe else "/")
