"""The parts that move tasks, put together: one of each a process."""

from collections.abc import Callable
from dataclasses import dataclass

from ..intake.intake import Intake
from ..journal import TaskJournal
from ..money.treasury import Treasury
from ..parts import Parts
from ..ports import WorkQueue
from ..steady import SteadyTime
from .advance import Advancer, queue_of
from .attach import Attacher
from .await_inputs import InputWait
from .callbacks import Callbacks
from .cancel import Canceller
from .hold import Holding, HoldLimits
from .keep import Keeper
from .learning import Learning
from .look import Looker
from .rates import Rates
from .receipt_book import ReceiptBook
from .rescue import Rescuer
from .resume import Resumer
from .retry_after import RetryAfter
from .rivals import Rivals
from .search import Searcher
from .settle import Settler
from .submissions import Submissions
from .submit import Submitter
from .takeover import Takeover


@dataclass(frozen=True)
class Work:
    """What the engine asks of them."""

    advancer: Advancer
    input_wait: InputWait
    queue: WorkQueue
    looker: Looker
    canceller: Canceller
    attacher: Attacher
    settler: Settler
    takeover: Takeover
    submissions: Submissions
    callbacks: Callbacks


def wired(
    parts: Parts,
    journal: TaskJournal,
    book: ReceiptBook,
    intake: Intake,
    learning: Learning,
    money: Treasury,
    *,
    waited_for: Callable[[str], bool],
) -> Work:
    """All of them on this journal. `waited_for` says whether somebody waits for a task right now."""
    limits, clock, configured = parts.limits, parts.clock, tuple(parts.providers)
    providers = {each.provider.name: each.provider for each in configured}
    steady, submissions = SteadyTime(clock), Submissions()
    keeper = Keeper(parts.media, journal, clock, enabled=limits.keep_outputs, bytes_max=limits.download_bytes_max)
    hold_limits = HoldLimits(limits.hold_seconds_max, limits.hold_tries_max)
    holding = Holding(journal, configured, clock, hold_limits, at_hand=intake.at_hand)
    rescuer, rates, retry_after = Rescuer(parts.media, keeper), Rates(providers, clock), RetryAfter(clock)
    canceller = Canceller(journal, providers, clock)
    callbacks = Callbacks(parts.hooks, parts.store, clock, submissions)
    looker = Looker(
        journal,
        keeper,
        clock,
        waited_for=waited_for,
        learning=learning,
        steady=steady,
        callbacks=callbacks,
        retry_after=retry_after,
    )
    input_wait = InputWait(journal, intake, clock)
    advancer = Advancer(
        journal,
        providers,
        clock,
        submissions=submissions,
        submitter=Submitter(journal, keeper, book, holding, rates, clock, rescuer, callbacks, money, retry_after),
        resumer=Resumer(journal, parts.media, book, configured, clock, rescuer),
        holding=holding,
        looker=looker,
        searcher=Searcher(
            journal, Rivals(parts.store), clock, looker, steady, cancel_accepted=canceller.cancel_accepted
        ),
        keeper=keeper,
        input_wait=input_wait,
        cancel_accepted=canceller.cancel_accepted,
        rates=rates,
        learning=learning,
        callbacks=callbacks,
        retry_after=retry_after,
        lease=parts.lease,
        steady=steady,
    )
    callbacks.queue = queue = queue_of(advancer, parts.queue, clock, limits, providers)
    attacher = Attacher(journal, providers, clock, go_on=queue.schedule)
    takeover = Takeover(journal, parts.lease, configured, clock, queue=queue, submitting=submissions)
    currencies = (*(each.currency for each in parts.prices.values()), *(each.currency for each in parts.budgets))
    settler = Settler(journal, clock, currencies)
    return Work(advancer, input_wait, queue, looker, canceller, attacher, settler, takeover, submissions, callbacks)
