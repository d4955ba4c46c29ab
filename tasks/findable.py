"""What the heart needs of a journal to find tasks again; a part of the port `Journal`."""

from typing import Protocol

from ..domain.document import Document


class Findable(Protocol):
    """Documents found by their words, and by what they come from. Every method raises a `StoreError` where the store
    cannot be used."""

    async def children(self, task_id: str, *, limit: int = ...) -> list[str]:
        """Ids of the documents that name this task among their `parents`, the earliest first."""
        ...

    async def search(
        self,
        query: str,
        *,
        owner: str | None = None,
        state: str | None = None,
        kind: str | None = None,
        since: str | None = None,
        before: str | None = None,
        limit: int = ...,
    ) -> list[Document]:
        """Documents with all words of the query in prompt, model, provider or output name, newest first; their ids
        from `since` on and before `before`."""
        ...

    async def index_words(self, before: str) -> bool:
        """Prepare some more of the documents with ids before this one for a search; false where none is left."""
        ...

    async def recount_words(self) -> None:
        """See whether documents have come where the preparing has been already."""
        ...
