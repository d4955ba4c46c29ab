"""Media that are made to cost their reader: they cost a child process, which is bounded, and nothing else."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest
from PIL import Image

from rushes.cache.media.decoder import MEASURING, Decoder
from rushes.cache.media.folder import MediaFacts, MediaFolder
from rushes.cache.media.measuring import Measuring
from rushes.domain.errors import DecodingEnded
from rushes.domain.job import Observation, RemoteOutput
from rushes.domain.kept_media import Bounds
from rushes.domain.principal import LOCAL
from rushes.server.assembly import DECODING
from rushes.tasks.previews.previews import GLIMPSING

from ..server.clients import connected, document
from ..tasks.engines import a_wish, an_engine
from ..tasks.scripted import ScriptedProvider
from ..tasks.test_engine import ACCEPTED
from . import bombs
from .processes import at_work, children_of, decoders_of, gone, is_alive, on_linux, peak_mib
from .summary import PEAK_MIB

pytestmark = [pytest.mark.anyio, on_linux]

MB = 2**20
GLIMPSE_OF_PNG = {"do": "glimpse", "mime_type": "image/png", "duration_seconds": None, "at_seconds": None}
LOOK_AT_MP4 = {**GLIMPSE_OF_PNG, "mime_type": "video/mp4"}


def a_file(path: Path, data: bytes) -> io.BufferedReader:
    path.write_bytes(data)
    return path.open("rb")


def a_picture(path: Path) -> io.BufferedReader:
    Image.new("RGB", (64, 48), "orange").save(path, "PNG")
    return path.open("rb")


def the_child() -> int:
    (pid,) = decoders_of(os.getpid())
    return pid


@pytest.fixture
async def decoder() -> AsyncIterator[Decoder]:
    async with Decoder.opened(DECODING) as opened:
        yield opened
    assert decoders_of(os.getpid()) == []


# What a bomb costs, in a process of its own whose memory and whose child's memory are measured at its end.
KEEP = """
import json, resource, sys
from pathlib import Path
import anyio
from rushes.cache.media.decoder import Decoder
from rushes.cache.media.folder import MediaFolder
from rushes.cache.media.measuring import Measuring
from rushes.server.assembly import DECODING

async def keep():
    async def once():
        yield Path(sys.argv[2]).read_bytes()
    async with Decoder.opened(DECODING) as decoder:
        kept = await MediaFolder(Path(sys.argv[1]), Measuring(decoder)).keep(
            stem="bomb", chunks=once(), kind=sys.argv[3], declared_mime=None, bytes_max=10**9, expected_bytes=None
        )
    # Not `ru_maxrss` of its own: that begins with what the process had that forked this one.
    status = Path("/proc/self/status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    childs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(json.dumps([kept.measure_problem, kept.facts.width, own * 1024, childs * 1024]))

anyio.run(keep)
"""


def test_an_index_of_eighty_million_frames_is_kept_and_takes_neither_process_over_400_mb(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    data = bombs.claimed_samples()
    assert len(data) < 4_600
    (tmp_path / "bomb").write_bytes(data)
    command = [sys.executable, "-c", KEEP, str(tmp_path / "outputs"), str(tmp_path / "bomb"), "video"]

    ran = subprocess.run(command, capture_output=True, check=True, timeout=60)

    problem, width, own_peak, childs_peak = json.loads(ran.stdout)
    record_property(PEAK_MIB, max(own_peak, childs_peak) // MB)
    assert own_peak < 200 * MB
    assert childs_peak < 400 * MB
    # FFmpeg may do without the index, or give up.
    assert width == 64 or problem == "took more than 256 MB of memory"
    assert (tmp_path / "outputs" / "bomb.mp4").read_bytes() == data


async def test_a_picture_of_a_hundred_million_pixels_is_shown_within_the_memory_of_a_look(
    tmp_path: Path, decoder: Decoder, record_property: Callable[[str, object], None]
) -> None:
    with a_file(tmp_path / "b.png", bombs.blank_png()) as file:
        answer = await decoder.ask(GLIMPSE_OF_PNG, file, Bounds(400 * MB, 20, 60))
    record_property(PEAK_MIB, peak_mib(the_child()))

    assert Image.open(io.BytesIO(answer.data), formats=("JPEG",)).size == (1024, 1024)


async def test_a_picture_that_takes_more_memory_than_allowed_is_refused_and_the_next_one_shown(
    tmp_path: Path, decoder: Decoder
) -> None:
    with a_file(tmp_path / "b.png", bombs.blank_png()) as file, pytest.raises(DecodingEnded) as caught:
        await decoder.ask(GLIMPSE_OF_PNG, file, Bounds(32 * MB, 20, 60))
    assert caught.value.message == "took more than 32 MB of memory"

    with a_picture(tmp_path / "i.png") as file:
        assert (await decoder.ask(GLIMPSE_OF_PNG, file, GLIMPSING)).document == {"shows": "the image"}


async def test_a_film_that_decodes_for_hours_ends_with_its_share_of_a_processor_and_the_next_is_shown(
    tmp_path: Path, decoder: Decoder
) -> None:
    film = bombs.one_frame_for_ever()
    assert len(film) < 2 * MB
    with a_file(tmp_path / "b.mp4", film) as file, pytest.raises(DecodingEnded) as caught:
        await decoder.ask(LOOK_AT_MP4, file, Bounds(GLIMPSING.memory_bytes, 1, 60))
    assert caught.value.message == "took more than 1 s of a processor"

    with a_picture(tmp_path / "i.png") as file:
        assert (await decoder.ask(GLIMPSE_OF_PNG, file, GLIMPSING)).data


async def test_a_look_that_takes_too_long_by_the_clock_ends_too(tmp_path: Path, decoder: Decoder) -> None:
    with a_file(tmp_path / "b.mp4", bombs.one_frame_for_ever()) as file, pytest.raises(DecodingEnded) as caught:
        await decoder.ask(LOOK_AT_MP4, file, Bounds(GLIMPSING.memory_bytes, 60, 0.2))

    assert caught.value.message == "took more than 0.2 s"
    assert decoders_of(os.getpid()) == []


async def test_a_cancelled_look_ends_its_process_and_the_next_look_has_another(
    tmp_path: Path, decoder: Decoder
) -> None:
    with a_file(tmp_path / "b.mp4", bombs.one_frame_for_ever()) as file, a_picture(tmp_path / "i.png") as picture:
        await decoder.ask(GLIMPSE_OF_PNG, picture, GLIMPSING)
        busy = the_child()
        async with anyio.create_task_group() as group:
            group.start_soon(decoder.ask, LOOK_AT_MP4, file, GLIMPSING)
            await at_work(busy)
            group.cancel_scope.cancel()
        assert not is_alive(busy)

        assert (await decoder.ask(GLIMPSE_OF_PNG, picture, GLIMPSING)).data
        assert the_child() != busy


async def test_a_process_that_was_killed_is_replaced_at_the_next_look(tmp_path: Path, decoder: Decoder) -> None:
    with a_picture(tmp_path / "i.png") as picture:
        await decoder.ask(GLIMPSE_OF_PNG, picture, GLIMPSING)
        killed = the_child()
        os.kill(killed, signal.SIGKILL)
        await gone(killed)

        assert (await decoder.ask(GLIMPSE_OF_PNG, picture, GLIMPSING)).data


async def test_one_process_answers_all_looks_and_the_first_one_starts_it(tmp_path: Path, decoder: Decoder) -> None:
    assert decoders_of(os.getpid()) == []
    with a_picture(tmp_path / "i.png") as picture:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(decoder.ask, GLIMPSE_OF_PNG, picture, GLIMPSING)
            await at_work_of_one()
        first = the_child()
        await decoder.ask({"do": "measure", "mime_type": "image/png"}, picture, MEASURING)
        assert the_child() == first


async def at_work_of_one() -> None:
    with anyio.fail_after(10):
        while not decoders_of(os.getpid()):
            await anyio.lowlevel.checkpoint()
    assert len(decoders_of(os.getpid())) == 1


async def test_the_process_sees_no_keys_has_no_terminal_and_neither_end_of_the_protocol(
    tmp_path: Path, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTEANY_API_KEY", "sk-secret-of-the-house")
    with a_picture(tmp_path / "i.png") as picture:
        await decoder.ask(GLIMPSE_OF_PNG, picture, GLIMPSING)
    pid = the_child()

    assert b"sk-secret-of-the-house" not in Path(f"/proc/{pid}/environ").read_bytes()
    assert os.getsid(pid) == pid
    ours, its = ({Path(f"/proc/{who}/fd/{n}").readlink() for n in (0, 1, 2)} for who in ("self", pid))
    assert ours & its <= {Path(os.devnull)}


async def test_only_the_file_that_was_handed_over_is_read_whatever_has_its_name_by_then(
    tmp_path: Path, decoder: Decoder
) -> None:
    with a_picture(tmp_path / "i.png") as picture:
        (tmp_path / "i.png").unlink()
        (tmp_path / "i.png").write_text("something else")

        answer = await decoder.ask({"do": "measure", "mime_type": "image/png"}, picture, MEASURING)

    assert answer.document["holds"] == "image"


async def test_a_decoder_that_cannot_be_started_is_a_warning_on_what_is_kept(tmp_path: Path) -> None:
    async def once() -> AsyncIterator[bytes]:
        yield bombs.claimed_samples(1)

    async with Decoder.opened("rushes.no_such_module") as decoder:
        kept = await MediaFolder(tmp_path, Measuring(decoder)).keep(
            stem="a", chunks=once(), kind="video", declared_mime=None, bytes_max=10**6, expected_bytes=None
        )

    assert kept.facts == MediaFacts()
    assert kept.measure_problem == "needs a process of its own, which could not be started"


async def test_what_could_not_be_measured_is_kept_paid_for_and_said_to_be_unmeasured(tmp_path: Path) -> None:
    def unmeasuring(root: Path, _: object) -> MediaFolder:
        return MediaFolder(root, Measuring(Decoder("rushes.no_such_module")))

    done = Observation(state="succeeded", outputs=(RemoteOutput(url="https://cdn.example/1.mp4"),))
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[done], downloads=[bombs.claimed_samples()])
    async with an_engine(tmp_path, gateway, media_type=unmeasuring) as engine:
        task_id = (await engine.generate(a_wish())).record.task_id
        ended = await engine.wait(task_id, seconds=20, principal=LOCAL)
        async with connected(engine) as client:
            shown = document(await client.call_tool("check_task", {"task_id": task_id}))

    assert (ended.state, ended.outputs[0].keeping.status) == ("succeeded", "kept")
    assert shown["warnings"] == [
        "Output 1 is kept, but could not be measured: it needs a process of its own, which could not be started."
    ]


async def test_a_sound_that_could_not_be_looked_into_is_kept_all_the_same(tmp_path: Path) -> None:
    async def once() -> AsyncIterator[bytes]:
        yield bombs.claimed_samples()

    kept = await MediaFolder(tmp_path, Measuring(Decoder("rushes.no_such_module"))).keep(
        stem="a", chunks=once(), kind="audio", declared_mime=None, bytes_max=10**6, expected_bytes=None
    )

    assert kept.mime_type == "audio/mp4"


LOOK_FOR_EVER = """
import sys
import anyio
from rushes.cache.media.decoder import Decoder
from rushes.tasks.previews.previews import GLIMPSING
from rushes.server.assembly import DECODING

async def look():
    async with Decoder.opened(DECODING) as decoder:
        with open(sys.argv[1], "rb") as file:
            question = {"do": "glimpse", "mime_type": "video/mp4", "duration_seconds": None, "at_seconds": None}
            await decoder.ask(question, file, GLIMPSING)

anyio.run(look)
"""


async def test_the_process_ends_with_a_parent_that_is_killed_while_it_decodes(tmp_path: Path) -> None:
    (tmp_path / "b.mp4").write_bytes(bombs.one_frame_for_ever())
    command = [sys.executable, "-c", LOOK_FOR_EVER, str(tmp_path / "b.mp4")]
    async with await anyio.open_process(command, stdin=None, stdout=None, stderr=None) as parent:
        with anyio.fail_after(20):
            while not (children := children_of(parent.pid)):
                await anyio.lowlevel.checkpoint()
        await at_work(children[0], 0.5)
        parent.kill()
        await parent.wait()
        await gone(children[0])
