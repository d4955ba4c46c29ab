"""What an engine is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..domain.budget import Budget
from ..domain.money import Price
from .clock import SystemClock
from .hook_ports import HookParts
from .intake.routing import Configured
from .limits import Limits
from .ports import Clock, Decoder, Lease, MakesQueue, MediaStore, ReceiptFile, Store, Uploader


@dataclass(frozen=True)
class Parts:
    """Assembled in `server/assembly.py`."""

    store: Store
    lease: Lease
    media: MediaStore
    queue: MakesQueue
    decoder: Decoder
    """For looks at outputs."""
    providers: Sequence[Configured]
    input_roots: tuple[Path, ...] = ()
    receipts: ReceiptFile | None = None
    """Where the jobs that were accepted are noted beside the store."""
    hooks: HookParts | None = None
    """Where gateways are asked to call back."""
    uploader: Uploader | None = None
    """For media that a gateway takes by URL only."""
    limits: Limits = field(default_factory=Limits)
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    """What a person has set, by `provider/model`."""
    budgets: Sequence[Budget] = ()
    clock: Clock = field(default_factory=SystemClock)
