"""One studio for the tests of a file: it takes longer to open than most films take to be made."""

from collections.abc import AsyncGenerator

import pytest

from .studio import Studio, a_studio


@pytest.fixture(scope="module")
async def studio(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncGenerator[Studio]:
    del anyio_backend  # it has to be there first
    async with a_studio(tmp_path_factory.mktemp("studio")) as studio:
        yield studio
