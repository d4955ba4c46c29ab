"""The catalogue: model facts from the data files, and how an agent's name for a model finds a gateway's own id.

A data file (`facts/<format>.toml`) holds:

    [default_models]        what `auto` stands for: `video = "veo-3.1-generate-preview"`
    [unlisted.video]        what holds for models of this kind that the file does not list
    [options.webhook]       what is documented of a field that `provider_options` may set (`OptionFacts`)
    data_urls = "probable"  for all models, see `ModelFacts.data_urls`
    requests_per_minute     the rate that is documented for looks and submissions together
    [[models]]              one row a model, with the fields of `ModelFacts`; `source` says where the row comes from
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from ..domain.model_facts import ModelFacts, OptionFacts
from ..domain.request import Kind
from ..domain.value import Value


class FactsFile(Value):
    """One data file."""

    model_config = ConfigDict(extra="forbid")

    default_models: dict[Kind, str] = Field(default_factory=dict[Kind, str])
    unlisted: dict[Kind, dict[str, JsonValue]] = Field(default_factory=dict[Kind, dict[str, JsonValue]])
    options: dict[str, OptionFacts] = Field(default_factory=dict[str, OptionFacts])
    requests_per_minute: int | None = None
    """The rate that the gateway documents for looks and submissions together, where it names one."""
    data_urls: Literal["probable", "unknown"] = "unknown"
    models: tuple[ModelFacts, ...]

    def completed(self, row: ModelFacts) -> ModelFacts:
        """A row with what the file says of all models."""
        shared = {n: o for n, o in self.options.items() if o.kinds is None or row.kind in o.kinds}
        return row.model_copy(update={"options": {**shared, **row.options}, "data_urls": self.data_urls})

    def unlisted_model(self, name: str, kind: Kind) -> ModelFacts:
        """Facts of a model that the file does not list: what holds for all of the gateway's models of this kind."""
        known: Mapping[str, JsonValue] = self.unlisted.get(kind, {})
        row = {"id": name, "name": name, "kind": kind, "source": "not in the data", "certainty": "unknown"}
        return self.completed(ModelFacts.model_validate({**row, **known}))

    def with_common_facts(self, row: ModelFacts) -> ModelFacts:
        """A row from a live list, filled up with what holds for all of the gateway's models of its kind."""
        common = self.unlisted_model(row.id, row.kind)
        return common.model_copy(update={name: getattr(row, name) for name in row.model_fields_set})


@cache
def load_facts(name: str) -> FactsFile:
    """The data file of a format, read once."""
    text = files(__name__.rpartition(".")[0]).joinpath("facts", f"{name}.toml").read_text(encoding="utf-8")
    file = FactsFile.model_validate(tomllib.loads(text))
    return file.model_copy(update={"models": tuple(map(file.completed, file.models))})


def find_model(models: Iterable[ModelFacts], name: str, kind: Kind | None = None) -> ModelFacts | None:
    """The model that a name stands for: by the gateway's own id, else the canonical name, else an alias.

    Letter case does not count. Where the gateway takes an upstream in front of an id, the answer keeps it in its id.
    """
    rows = [row for row in models if kind is None or row.kind == kind]
    wanted = name.casefold()
    for names_of in (_id, _canonical, _aliases):
        for row in rows:
            if wanted in (known.casefold() for known in names_of(row)):
                return row
    _, slash, bare = name.rpartition("/")
    if slash:
        for row in rows:
            if row.prefixable and row.id.casefold() == bare.casefold():
                return row.model_copy(update={"id": name})
    return None


def join_models(documented: Sequence[ModelFacts], live: Sequence[ModelFacts]) -> tuple[ModelFacts, ...]:
    """Both lists; a documented row wins over a live one of the same id, and takes its price."""
    known = {row.id.casefold() for row in documented}
    return (*(_priced(row, live) for row in documented), *(row for row in live if row.id.casefold() not in known))


def _priced(row: ModelFacts, live: Sequence[ModelFacts]) -> ModelFacts:
    """The row with the price of the live one of its id; in some lists an upstream stands in front of that."""
    wanted = row.id.casefold()
    listed = [each for each in live if each.listed_prices and each.kind == row.kind]
    same = [each for each in listed if each.id.casefold() == wanted]
    same = same or [each for each in listed if each.id.casefold().rpartition("/")[2] == wanted]
    if not same:
        return row
    return row.model_copy(update={"price": same[0].price, "upstream_prices": same[0].upstream_prices})


def _id(row: ModelFacts) -> tuple[str, ...]:
    return (row.id,)


def _canonical(row: ModelFacts) -> tuple[str, ...]:
    return (row.name,)


def _aliases(row: ModelFacts) -> tuple[str, ...]:
    return row.aliases
