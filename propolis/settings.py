"""Django settings, from the environment alone.

PROPOLIS_DATA_DIR  folder for the database, keys, backups and outgoing mail (default ~/.propolis)
DATABASE_URL       postgres://… to use PostgreSQL instead of the SQLite file in the data folder
PROPOLIS_URL       address people open, used in e-mail links and for CSRF (default http://127.0.0.1:8000)
PROPOLIS_DEBUG     1 shows stack traces; never in production
The rest is listed in docs/operating.md.
"""

import logging
import math
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from propolis.keyring import secret_key


def _number(name: str, default: float, text: str | None = None, least: int = 0) -> float:
    """The number that environment variable holds, at least `least`."""
    text = os.environ.get(name, "").strip() if text is None else text
    try:
        number = float(text or default)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ImproperlyConfigured(f"{name} must be a number, not “{text}”.")
    if number < least:
        raise ImproperlyConfigured(f"{name} must be {least} or more, not “{text}”.")
    return number


def _log_level() -> str:
    """The level that PROPOLIS_LOG_LEVEL names."""
    level = (os.environ.get("PROPOLIS_LOG_LEVEL") or "WARNING").upper()
    if level not in logging.getLevelNamesMapping():
        raise ImproperlyConfigured(
            f"PROPOLIS_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not “{level}”."
        )
    return level


BASE_DIR = Path(__file__).resolve().parent
DATA_DIR = Path(os.environ.get("PROPOLIS_DATA_DIR") or Path.home() / ".propolis").resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)

DEBUG = os.environ.get("PROPOLIS_DEBUG") == "1"
SECRET_KEY = os.environ.get("PROPOLIS_SECRET_KEY") or secret_key(DATA_DIR)
PROPOLIS_URL = (os.environ.get("PROPOLIS_URL") or "http://127.0.0.1:8000").rstrip("/")
HTTPS = PROPOLIS_URL.startswith("https://")
_host = urlsplit(PROPOLIS_URL).hostname or "127.0.0.1"
ALLOWED_HOSTS = sorted(
    {_host, "127.0.0.1", "localhost", "[::1]"} | set(os.environ.get("PROPOLIS_HOSTS", "").split())
)
CSRF_TRUSTED_ORIGINS = [PROPOLIS_URL] if HTTPS else []

INSTALLED_APPS = [
    "propolis.ui",
    "propolis.accounts",
    "propolis.runs",
    "propolis.history",
    "propolis.crm",
    "propolis.bridge",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django_tasks",
    "django_tasks_db",
    "django_htmx",
    "django_cotton.apps.SimpleAppConfig",
    "template_partials.apps.SimpleAppConfig",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django.forms",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "propolis.accounts.middleware.SeenNowAndThen",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "propolis.accounts.middleware.ReadableAddress",
    "django_htmx.middleware.HtmxMiddleware",
    "propolis.accounts.middleware.AccountInAddress",
]

ROOT_URLCONF = "propolis.urls"
WSGI_APPLICATION = "propolis.wsgi.application"

LOADERS = [
    "django_cotton.cotton_loader.Loader",
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "ui" / "templates"],
        "OPTIONS": {
            # Cotton's components, then partials ("page.html#part"): each app's own set-up would drop the other's.
            "loaders": [
                ("template_partials.loader.Loader", [("django.template.loaders.cached.Loader", LOADERS)])
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "propolis.ui.context.shell",
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "django.templatetags.static",
                "propolis.ui.templatetags.ui",
            ],
        },
    },
]
COTTON_DIR = "cotton"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

SQLITE_OPTIONS = {
    # How long one process waits, in seconds, while another writes.
    "timeout": _number("PROPOLIS_BUSY_SECONDS", 30),
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000;",
}


def _database() -> dict[str, Any]:
    url = os.environ.get("DATABASE_URL")
    if url:
        if not url.startswith(("postgres://", "postgresql://", "sqlite:///")):
            raise ImproperlyConfigured(
                "DATABASE_URL must begin with postgres:// (or be left out, for SQLite)."
            )
        found: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
    else:
        found = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "propolis.sqlite3",
            "CONN_MAX_AGE": 60,
        }
    if "sqlite" in found["ENGINE"]:
        found["OPTIONS"] = SQLITE_OPTIONS
        # A file in tests too: threads and processes of one test share it as they do in use.
        found["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
    else:
        # Compiling a query took 300 of the 440 ms of a filter over 100,000 companies; none here runs for minutes.
        found["OPTIONS"] = {"options": "-c jit=off", **found.get("OPTIONS", {})}
    return found


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("MinimumLengthValidator", {"min_length": 12}),
        ("UserAttributeSimilarityValidator", {}),
        ("CommonPasswordValidator", {}),
    )
]
ACCOUNT_ADAPTER = "propolis.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "propolis.accounts.signing_in.SignInForm",
    "reset_password": "propolis.accounts.signing_in.ResetForm",
    "reset_password_from_key": "propolis.accounts.signing_in.ResetKeyForm",
    "change_password": "propolis.accounts.signing_in.ChangeForm",
    "reauthenticate": "propolis.accounts.signing_in.AgainForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
USERSESSIONS_TRACK_ACTIVITY = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
MFA_TOTP_ISSUER = "Propolis"
MFA_PASSKEY_LOGIN_ENABLED = True
# The address was verified by the invitation that reached it; allauth keeps no row of its own about that.
MFA_ALLOW_UNVERIFIED_EMAIL = True
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"

# Per-process memory would not throttle sign-ins across workers.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "propolis_cache"}}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "files"},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if os.environ.get("PROPOLIS_BEHIND_PROXY") == "1":
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "font-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

# Mail: an SMTP server by setting, else files in the data folder that the Users page shows.
if os.environ.get("PROPOLIS_SMTP_HOST"):
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = os.environ["PROPOLIS_SMTP_HOST"]
    EMAIL_PORT = int(_number("PROPOLIS_SMTP_PORT", 587))
    EMAIL_HOST_USER = os.environ.get("PROPOLIS_SMTP_USER", "")
    EMAIL_HOST_PASSWORD = os.environ.get("PROPOLIS_SMTP_PASSWORD", "")
    EMAIL_USE_TLS = os.environ.get("PROPOLIS_SMTP_TLS", "1") == "1"
    EMAIL_TIMEOUT = 20
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = os.environ.get("PROPOLIS_FROM_EMAIL", "propolis@localhost")

TASKS = {
    "default": {
        "BACKEND": os.environ.get("PROPOLIS_TASKS_BACKEND") or "django_tasks_db.DatabaseBackend",
        "QUEUES": ["default"],
    }
}

# Durable runs (docs/operating.md).
PROPOLIS_LEASE_SECONDS = _number("PROPOLIS_LEASE_SECONDS", 60)
PROPOLIS_SLICE_SECONDS = _number("PROPOLIS_SLICE_SECONDS", 10)
PROPOLIS_RETRY_SECONDS = [
    _number("PROPOLIS_RETRY_SECONDS", 0, text)
    for text in os.environ.get("PROPOLIS_RETRY_SECONDS", "").split() or ["30", "120", "600", "3600"]
]
# A write that Syncro never answered may still be carried out for a while: not sent again before that.
PROPOLIS_SEND_SETTLE_SECONDS = _number("PROPOLIS_SEND_SETTLE_SECONDS", 30)
# Before one request to Syncro is made again; twice as long each further time.
PROPOLIS_PAUSE_SECONDS = _number("PROPOLIS_PAUSE_SECONDS", 1)
# Requests a minute to Syncro from this address; Syncro refuses above 180.
PROPOLIS_PACE = _number("PROPOLIS_PACE", 150, least=1)
# Machines that reach Syncro from another IP address have a pace of their own: give it a name.
PROPOLIS_EGRESS = os.environ.get("PROPOLIS_EGRESS", "default")
# The largest answer from Syncro that is read, in MB; a larger one is not even kept in memory.
PROPOLIS_ANSWER_MOST_MB = _number("PROPOLIS_ANSWER_MOST_MB", 64, least=1)
# Where every connection made in the browser goes instead of https://<subdomain>.syncromsp.com: the sandbox.
PROPOLIS_SYNCRO_BASE_URL = os.environ.get("PROPOLIS_SYNCRO_BASE_URL", "")
# Keys of saved Syncro tokens, "<id>:<32 bytes in base64>", the first one seals; else DATA_DIR/token_keys.
PROPOLIS_TOKEN_KEYS = os.environ.get("PROPOLIS_TOKEN_KEYS", "")

# The largest CSV file that can be uploaded, in MB.
PROPOLIS_CSV_MOST_MB = int(_number("PROPOLIS_CSV_MOST_MB", 50, least=1))
# Automatic backups kept per account; those made by hand are kept until deleted.
PROPOLIS_BACKUPS_KEEP = int(_number("PROPOLIS_BACKUPS_KEEP", 10))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": _log_level()},
}
SILENCED_SYSTEM_CHECKS: list[str] = []
