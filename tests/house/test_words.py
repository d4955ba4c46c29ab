"""Words: what no tracked file may hold, and that a class's name means one thing."""

import re
from collections import defaultdict

from .checkout import PARTS, ROOT, tracked_files

# Put together from parts, so that this file does not hold them itself.
# Each begins with plain text, which is searched for ten times as fast as what may stand before it.
MACHINE_PATHS = re.compile(r"/(?<![\w.]/)(?:work|tmp/w|tmp/scratch|root)/\w")
KEY_SHAPES = [
    re.compile(rf"{start}(?<!\w{start}){rest}")
    for start, rest in (("sk-", "[A-Za-z0-9]{32}"), ("ghp_", "[A-Za-z0-9]{30}"), ("AKIA", "[A-Z0-9]{16}"))
]
BINARY = {".jpg", ".png", ".ttf", ".webp", ".mp4", ".wav"}


def test_no_file_holds_a_path_of_a_machine_or_anything_that_looks_like_a_key() -> None:
    found = [
        f"{path.relative_to(ROOT).as_posix()}: {match.group()}"
        for path in tracked_files()
        if path.suffix not in BINARY
        for text in [path.read_text(encoding="utf-8")]
        for pattern in (MACHINE_PATHS, *KEY_SHAPES)
        for match in pattern.finditer(text)
    ]
    assert found == []


MANY_MEANINGS = {
    "Answer": "in the child process it is the child's, outside of it the service's; neither knows the other",
    "Envelope": "the gateways' own word, in two formats that share nothing",
    "Task": "the agent's word (tools/answers), and the own word of two gateways, in their formats",
}
PUBLIC_CLASS = re.compile(r"^class (?!_)(\w+)", re.MULTILINE)
PORTS = "tasks/ports.py"
"""An adapter may have the name of the port that it fits."""


def test_a_public_class_shares_its_name_with_no_other() -> None:
    places: dict[str, set[str]] = defaultdict(set)
    for path in tracked_files():
        place = path.relative_to(ROOT).as_posix()
        if path.suffix == ".py" and place.split("/")[0] in PARTS:
            for name in PUBLIC_CLASS.findall(path.read_text(encoding="utf-8")):
                places[name].add(place)
    shared = {
        name: found
        for name, found in places.items()
        if len(found) > 1 and not (PORTS in found and all(each.startswith("cache/") for each in found - {PORTS}))
    }
    assert shared.keys() - MANY_MEANINGS.keys() == set(), shared
    assert MANY_MEANINGS.keys() - shared.keys() == set(), "no longer needed"
