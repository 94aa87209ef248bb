"""Two of theirs that claim one of ours: found over everything at once, so that the order cannot matter."""

from array import array
from collections import defaultdict
from collections.abc import Mapping

from propolis.merge.evidence import Ambiguous, Outcome, Reason, Sure

_SLOTS = 1 << 20  # one bit each: 128 KiB; ids that fall on one slot cost a second look, never a wrong answer


class Claims:
    """Which remote record surely claimed which of ours, in 16 bytes a claim; 100,000 take about 2 MB.

    One accumulator per kind of remote record: the person on a customer record and a contact may well share
    one of our contacts, two contacts may not. Add every outcome of a plan, then ask for `contested`, then
    `settle` each.
    """

    def __init__(self) -> None:
        self._remote = array("q")
        self._local = array("q")
        self._taken = bytearray(_SLOTS // 8)
        self._suspects: set[int] = set()

    def __len__(self) -> int:
        return len(self._local)

    def add(self, remote_id: int, outcome: Outcome) -> None:
        """Remember it if it claims: only a `Sure` outcome does. Adding the same claim again changes
        nothing."""
        if not isinstance(outcome, Sure):
            return
        local_id = outcome.local_id
        byte, bit = divmod(local_id % _SLOTS, 8)
        if self._taken[byte] >> bit & 1:
            self._suspects.add(local_id)
        self._taken[byte] |= 1 << bit
        self._remote.append(remote_id)
        self._local.append(local_id)

    def contested(self) -> dict[int, tuple[int, ...]]:
        """Local id → the two or more remote ids that claim it, ascending."""
        claims = defaultdict[int, set[int]](set)
        for remote_id, local_id in zip(self._remote, self._local, strict=True):
            if local_id in self._suspects:
                claims[local_id].add(remote_id)
        return {local: tuple(sorted(remote)) for local, remote in sorted(claims.items()) if len(remote) > 1}


def settle(outcome: Outcome, contested: Mapping[int, tuple[int, ...]]) -> Outcome:
    """The outcome once all claims are known: a contested `Sure` becomes `Ambiguous`, every other stays."""
    if isinstance(outcome, Sure) and outcome.local_id in contested:
        return Ambiguous((outcome.evidence,), Reason.CLAIMED, contested[outcome.local_id])
    return outcome
