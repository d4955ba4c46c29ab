"""What a request will cost, from a price by its parts or from the costs of earlier jobs; pure."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from statistics import median

from ...domain.money import Basis, Estimate, Measure, PaidJob, Price, UnitPrice, amount_of
from ...domain.request import Kind

JOBS_MAX = 20
"""The last so many of a kind tell the price."""

Size = tuple[str, Decimal]
"""What a price may go by, and how much of it there is."""


def priced(price: Price, measure: Measure, basis: Basis) -> Estimate | None:
    """What that price comes to; `None` where it goes by something that is not known of the request."""
    made = _of_what_is_made(price, measure)
    if made is None:
        return None
    amount = amount_of(made + (price.per_input_image or Decimal(0)) * measure.images)
    # Amount and currency were checked; this is made of every model that a request could go to.
    if amount is None:
        return None
    return Estimate.model_construct(amount=amount, currency=price.currency, basis=basis, n=None)


def dearest(prices: Iterable[Price], measure: Measure, basis: Basis) -> Estimate | None:
    """What the dearest of these comes to; `None` where that of one of them is not known."""
    found = [priced(price, measure, basis) for price in prices]
    known = [estimate for estimate in found if estimate is not None]
    return max(known, key=lambda estimate: estimate.amount, default=None) if len(known) == len(found) else None


def _of_what_is_made(price: Price, measure: Measure) -> Decimal | None:
    """By the second, output or character, and what a request costs besides."""
    flat = price.per_request or Decimal(0)
    if price.per_second:
        rate = _rate(price.per_second, measure)
        return None if measure.seconds is None else rate * Decimal(str(measure.seconds)) * measure.outputs + flat
    if price.per_output:
        return _rate(price.per_output, measure) * measure.outputs + flat
    if price.per_1000_characters is not None:
        return price.per_1000_characters * measure.characters / 1000 + flat
    return price.per_request


def _rate(rates: Mapping[str, Decimal], measure: Measure) -> Decimal:
    """The rate that a gateway bills. Where it is not known whether there is sound, the one with it: gateways make it
    unless they are told otherwise, and to be told too much is the lesser evil."""
    for resolution in (measure.resolution or "default", "default"):
        sounds = (f"{resolution}_video",) if measure.audio is False else (f"{resolution}_audio", f"{resolution}_video")
        for key in (*sounds, resolution):
            if key in rates:
                return rates[key]
    return max(rates.values())


def learned(jobs: Iterable[PaidJob], measure: Measure) -> Estimate | None:
    """The median of the last jobs of the same resolution and sound, newest first: by the second, output or character
    where they show that the price goes by it."""
    like = [job for job in jobs if _is_like(job.measure, measure)]
    same = list(islice((job for job in like if job.currency == like[0].currency), JOBS_MAX))
    if not same:
        return None
    amount = amount_of(_middle([job.amount for job in same], [_size(job.measure) for job in same], _size(measure)))
    return None if amount is None else Estimate(amount=amount, currency=same[0].currency, basis="learned", n=len(same))


def _middle(amounts: Sequence[Decimal], sizes: Sequence[Size], asked: Size) -> Decimal:
    if {unit for unit, _ in sizes} != {asked[0]} or not _scales(amounts, [size for _, size in sizes], asked[1]):
        return median(amounts)
    return median(amount / size for amount, (_, size) in zip(amounts, sizes, strict=True)) * asked[1]


def _is_like(one: Measure, other: Measure) -> bool:
    return (one.resolution, one.audio) == (other.resolution, other.audio)


def _size(measure: Measure) -> Size:
    """Seconds times outputs; without seconds characters, else outputs."""
    if measure.seconds:
        return "second", Decimal(str(measure.seconds)) * measure.outputs
    if measure.characters:
        return "character", Decimal(measure.characters)
    return "output", Decimal(measure.outputs)


def _scales(amounts: Sequence[Decimal], sizes: Sequence[Decimal], size: Decimal) -> bool:
    """Whether the costs lie closer together by their size than as they are. Jobs that were all of one size cannot
    tell; then another size is taken to cost in proportion."""
    if len(set(sizes)) == 1:
        return size != sizes[0]
    return _spread([a / s for a, s in zip(amounts, sizes, strict=True)]) < _spread(amounts)


def _spread(values: Sequence[Decimal]) -> Decimal:
    """Of the middle absolute deviation from the median, the part of the median; 0 where all cost nothing."""
    middle = median(values)
    return Decimal(0) if not middle else sum((abs(each - middle) for each in values), Decimal(0)) / middle / len(values)


def unit_price(price: Price, basis: Basis) -> UnitPrice | None:
    """The price in one number, for a list of models: the default, with sound."""
    measure = Measure()
    if price.per_second:
        return UnitPrice(_rate(price.per_second, measure), "second", price.currency, basis)
    if price.per_output:
        alone = _rate(price.per_output, measure) + (price.per_request or Decimal(0))
        return UnitPrice(alone, "output", price.currency, basis)
    if price.per_1000_characters is not None:
        return UnitPrice(price.per_1000_characters, "1000 characters", price.currency, basis)
    return None if price.per_request is None else UnitPrice(price.per_request, "request", price.currency, basis)


def dearest_unit(prices: Iterable[Price]) -> UnitPrice | None:
    """The dearest of what a gateway lists, in one number; the first where they go by different things."""
    found = [shown for price in prices if (shown := unit_price(price, "listed")) is not None]
    alike = [each for each in found if each.unit == found[0].unit]
    return max(alike, key=lambda each: each.amount, default=None)


def learned_unit_price(jobs: Sequence[PaidJob], kind: Kind) -> UnitPrice | None:
    """The same of earlier jobs, whatever their resolution: the median by the second for videos that tell them."""
    newest = [job for job in jobs if job.currency == jobs[0].currency][:JOBS_MAX]
    if not newest:
        return None
    by_second = kind == "video" and all(job.measure.seconds for job in newest)
    sizes = [_size(job.measure)[1] if by_second else Decimal(job.measure.outputs) for job in newest]
    middle = median(job.amount / size for job, size in zip(newest, sizes, strict=True))
    return UnitPrice(middle, "second" if by_second else "output", newest[0].currency, "learned", len(newest))
