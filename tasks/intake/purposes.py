"""What audio is for, where the call does not say it: a brief for music must not be read aloud, and paid for; pure."""

import re
from collections.abc import Iterable, Mapping

from ...domain.errors import RequestRefused
from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest, Purpose

ALL: frozenset[Purpose] = frozenset({"speech", "music", "sound"})

_SPOKEN_INPUTS = ("voice", "language", "speed", "instructions")

_WORDS: Mapping[Purpose, str] = {
    "sound": r"sfx|foley|ambien(ce|t)|atmo(sphere)?|noises?|sounds?( effects?)?|footsteps|whoosh|creak\w*|"
    r"thunder\w*|rain(fall)?|wind|waves|crackl\w+|explosions?|doorbell|siren|birdsong|rustl\w+|splash\w*|chirp\w*|"
    r"barking|engine|roar\w*|hum(ming)?|room tone",
    "music": r"music\w*|songs?|melod\w+|soundtracks?|scores?|instrumental\w*|jingle|beats?|bpm|tempo|chords?|pianos?|"
    r"strings|guitars?|violins?|cellos?|synth\w*|drums?|bass ?line|orchestra\w*|lo-?fi|jazz\w*|techno|hip-?hop|waltz|"
    r"ballad|lullaby|anthem|choir|flutes?|trumpets?|acoustic|symphon\w+|major key|minor key|riffs?|chorus|verses?",
    "speech": r"narrat\w+|voice-?overs?|read (this|it)?\s*(aloud|out)|speak\w*|says?|announce\w*|voice of|spoken|"
    r"i|i'm|we|we're|you|your|my|our|welcome|hello|hi|thanks?|thank you|please|today|dear|ladies|once upon",
}
_SENTENCES = re.compile(r"[.!?\u2026\u3002\uff01\uff1f]\W?(\s|$)")
_QUOTED = re.compile(r"[\"\u201c\u00ab][^\"\u201d\u00bb]{8,}[\"\u201d\u00bb]")


def purpose_told_by(prompt: str) -> Purpose | None:
    """What the words of a prompt speak for, where they speak for one purpose clearly."""
    found = {
        purpose: len(re.findall(rf"(?<!\w)({words})(?!\w)", prompt, re.IGNORECASE)) for purpose, words in _WORDS.items()
    }
    if found["music"] and not found["speech"]:
        return "music"
    if found["sound"] and not found["music"] and not found["speech"]:
        return "sound"
    spoken = found["speech"] > 0 and bool(_SENTENCES.search(prompt) or _QUOTED.search(prompt))
    return "speech" if spoken and not found["music"] and not found["sound"] else None


def settled(request: GenerationRequest, rows: Iterable[ModelFacts]) -> tuple[GenerationRequest, tuple[str, ...]]:
    """The request with what it is for, and what to say where that was told by its words alone.

    `rows` are the models among which the choice is.

    Raises:
        RequestRefused: it may be a text to read as well as a brief, and what is made of the one is not the other.
    """
    if request.kind != "audio" or request.purpose is not None or all({*(row.purposes or ())} >= ALL for row in rows):
        return request, ()
    if any(getattr(request, name) is not None for name in _SPOKEN_INPUTS):
        return request.model_copy(update={"purpose": "speech"}), ()
    purpose = purpose_told_by(request.prompt)
    if purpose is None:
        raise RequestRefused(
            "invalid_input",
            "purpose is not given, and the prompt may be a text to read aloud or a brief for music or sound",
            hint='Nothing was sent. Give purpose: "speech" reads the prompt aloud, "music" and "sound" take it as a '
            "brief; or name a model of list_models.",
        )
    read = "is read aloud" if purpose == "speech" else f"is taken as a brief for {purpose}"
    said = f"purpose was not given; by its words the prompt {read}. Give purpose where that is wrong."
    return request.model_copy(update={"purpose": purpose}), (said,)
