"""Slots for what runs at once: bounded for each kind of work, with a share that a provider's others cannot take."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple


class Lane(NamedTuple):
    """What a step takes a slot for."""

    kind: str = ""
    """Kinds have slots of their own."""
    share: str = ""
    """Whose work it is: a provider's name."""


class Slots:
    """So many slots for each kind. Half of them are kept for `shares`, in equal parts, at least one each; whoever comes
    first takes of the other half. So however much one provider's work hangs, another's always finds a slot.
    """

    def __init__(self, totals: Mapping[str, int], shares: Collection[str] = ()) -> None:
        self._shares = frozenset(shares)
        self._kept = {kind: max(1, total // (2 * max(1, len(self._shares)))) for kind, total in totals.items()}
        self._totals = {kind: max(total, len(self._shares) * self._kept[kind]) for kind, total in totals.items()}
        self._taken: Counter[Lane] = Counter()
        self._taken_of_kind: Counter[str] = Counter()

    def take(self, lane: Lane) -> bool:
        """Take a slot if there is one."""
        kind, share = lane
        kept = self._kept[kind] if len(self._shares) > 1 else 0
        if share not in self._shares or self._taken[lane] >= kept:
            others = self._shares - {share}
            kept_for_others = sum(max(0, kept - self._taken[Lane(kind, other)]) for other in others)
            if self._totals[kind] - self._taken_of_kind[kind] <= kept_for_others:
                return False
        self._taken[lane] += 1
        self._taken_of_kind[kind] += 1
        return True

    def give_back(self, lane: Lane) -> None:
        """The work is done."""
        self._taken[lane] -= 1
        self._taken_of_kind[lane.kind] -= 1
