"""`rushes assemble`: kept shots and sounds become one film, waited for until it is made."""

from ...tools import ASSEMBLE, Assemble
from .generate_command import NoWait, Target, Wait, Ways, ending_of, make_and_tell
from .options import AsJson, with_options_of

SAYS = """Cut shots, stills and sounds into one MP4, free: files, or task:<task_id>#1 of what was made.

What of one is used stands in brackets behind it: a.mp4[1.5-4] is a part, b.png[3] a still for 3 s, c.mp4[-6dB] a gain,
d.mp4[mute] without its sound, and e.mp3[@2] a sound that begins 2 s after the film.
""".replace("[", "\\[")


def _assemble(
    typed: dict[str, object],
    no_wait: NoWait = False,
    wait: Wait = None,
    output: Target = None,
    as_json: AsJson = False,
) -> None:
    ways = Ways(0.0 if no_wait else float("inf") if wait is None else wait, ending_of(output))
    make_and_tell(ASSEMBLE, typed, ways, output, as_json=as_json)


_assemble.__doc__ = SAYS
assemble = with_options_of(Assemble, _assemble, argument="shots", skip={"wait_seconds"})
