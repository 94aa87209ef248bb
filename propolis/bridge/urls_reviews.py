"""Addresses of what needs a person's decision, below those of the integration."""

from django.urls import URLPattern, URLResolver, path

from propolis.bridge import views_reviews

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views_reviews.page, name="review"),
    path("decisions/", views_reviews.decisions, name="review_decisions"),
    path("accept/", views_reviews.accept, name="review_accept"),
    path("<int:pk>/", views_reviews.one, name="review_one"),
    path("<int:pk>/decide/", views_reviews.decide, name="review_decide"),
    path("<int:pk>/ask-again/", views_reviews.ask_again, name="review_ask_again"),
]
