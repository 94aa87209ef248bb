"""`python -m propolis.cli.errors_page`: docs/errors.md, made from the code."""

from __future__ import annotations

import os
import sys


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "propolis.settings")
    django.setup()
    from propolis.bridge.sentences import page

    sys.stdout.write(page())


if __name__ == "__main__":
    main()
