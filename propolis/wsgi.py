"""The WSGI entry point: `gunicorn propolis.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "propolis.settings")
application = get_wsgi_application()
