"""What opportunities are ordered by though it may be unknown: never NULL, and each with an index of its own.

What stands for the unknown is written into the words themselves: SQLite does not see that an index holds what is asked
for when a value is passed beside them.
"""

from __future__ import annotations

from typing import Any, Final

from django.db.models import DateField, F, FloatField, Func

AMOUNT: Final[Func[Any]] = Func(
    F("amount"),
    template="COALESCE(%(expressions)s, -1000000000000)",
    # Cents of amounts of fourteen digits are exact in it; of a decimal, Django would make another expression for
    # SQLite in the index than in the question.
    output_field=FloatField(),
)
"""Below every amount where there is none: the largest first leaves the unknown for the end."""

EXPECTED_CLOSE: Final[Func[Any]] = Func(
    F("expected_close"), template="COALESCE(%(expressions)s, '9999-12-31')", output_field=DateField()
)
"""After every day where there is none: the soonest first leaves the unknown for the end."""
