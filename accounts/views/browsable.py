"""Logging in and out on the browsable pages."""

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.decorators.csrf import csrf_protect

from accounts.authentication import log_in, log_out
from accounts.clients import client_of
from accounts.documents import UserRow
from accounts.errors import BusyError, InvalidCredentialsError, LoginLockedError
from accounts.services import LoginService
from ecommerce.core import rate_limits
from ecommerce.core.rate_limits import LOGIN_PER_ADDRESS, RateLimitedError


class LoginForm(forms.Form):
    """Username or address, and password."""

    username = forms.CharField(max_length=254, label="Username or email address")
    password = forms.CharField(widget=forms.PasswordInput, strip=False, max_length=1000)


@method_decorator(csrf_protect, name="dispatch")
class LoginView(View):
    """The page where a person logs in; counted like any other sign-in."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The empty form."""
        return self._page(request, LoginForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Log in and go back to where the person came from."""
        form = LoginForm(request.POST)
        if not form.is_valid():
            return self._page(request, form, status=400)
        try:
            log_in(request, _signed_in(request, form))
        except RateLimitedError as refusal:
            return self._refused(request, form, refusal, refusal.status_code)
        except (InvalidCredentialsError, LoginLockedError, BusyError) as refusal:
            return self._refused(request, form, refusal, refusal.status)
        return HttpResponseRedirect(_next(request))

    def _refused(
        self, request: HttpRequest, form: LoginForm, refusal: Exception, status: int
    ) -> HttpResponse:
        form.add_error(None, str(refusal))
        page = self._page(request, form, status=status)
        retry_after = getattr(refusal, "retry_after", 0)
        if retry_after:
            page["Retry-After"] = str(retry_after)
        return page

    def _page(self, request: HttpRequest, form: LoginForm, status: int = 200) -> HttpResponse:
        return render(request, "login.html", {"form": form, "next": _next(request)}, status=status)


@method_decorator(csrf_protect, name="dispatch")
class LogoutView(View):
    """Ends the session; POST only, so that a link cannot do it."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Log out and go back."""
        rate_limits.spend_uncounted(request)
        log_out(request)
        return HttpResponseRedirect(_next(request))


def _signed_in(request: HttpRequest, form: LoginForm) -> UserRow:
    rate_limits.spend(request, LOGIN_PER_ADDRESS)
    return LoginService.sign_in(
        login=form.cleaned_data["username"],
        password=form.cleaned_data["password"],
        client=client_of(request),
    )


def _next(request: HttpRequest) -> str:
    """Where to go afterwards; never to another site."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else "/"
