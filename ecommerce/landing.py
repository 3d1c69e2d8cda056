"""The page at `/`: what this server is and where to go from here."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def landing_page(request: HttpRequest) -> HttpResponse:
    """Links to the documentation and, where it is on, the browsable interface."""
    context = {
        "app_name": settings.APP_NAME,
        "version": settings.VERSION,
        "browsable": settings.BROWSABLE_API,
    }
    return render(request, "landing.html", context)
