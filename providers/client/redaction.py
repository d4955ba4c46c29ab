"""The key of a gateway in what that gateway says: shown and stored nowhere, and still part of what is fetched.

A gateway may repeat the key in a message about it, or put it into the address of a result; as it is, or with JSON's,
HTML's or a URL's escapes, in base64 or in hexadecimal digits. It is taken out of every text of a reply, after the reply
was parsed, so that an escape cannot hide it.

Prose gets `[key]`. A text that could be an address gets a stand-in instead, made of characters that every address may
hold, from which `restored` makes the address again, just before it is fetched. No text from outside keeps the
stand-in's own letters, so only an address that held the key can come to hold it.
"""

import base64
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from urllib.parse import quote

from pydantic import JsonValue

from ...domain.failure import without_invisible
from ...domain.job import KEY_STAND_IN

KEY_LENGTH_MIN = 8
"""A shorter key is found in ordinary words."""

BLOT = "[key]"
# For the key as it is; followed by `~n~` for its form `n`.
_STAND_IN = re.compile(KEY_STAND_IN + r"(?:~(\d{1,2})~)?")
_WHOLE_TEXT_MAX = 256 * 1024
"""A longer text holds a medium: past this the key is looked for only as it is, and in bytes not at all."""

_ESCAPES = re.compile(r"[%\\&]")
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\\]")
_CUTS = re.compile(r"[ \t]*(?:[\x00-\x1f\x7f-\x9f\u2028\u2029]|\\{1,8}[nr])[ \t]*")
"""Where a text may be broken into lines, as mail's base64 is after 76 letters: shown, the parts stand side by side."""


class Redaction:
    """Takes one key out of texts; without a key, or with a very short one, texts stay as they are."""

    def __init__(self, key: str | None) -> None:
        self._key = key if key is not None and len(key) >= KEY_LENGTH_MIN else ""

    def json(self, value: JsonValue) -> JsonValue:
        """The value with the key taken out of each text in it, names included."""
        if not self._key:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self.json(item) for name, item in value.items()}
        return value

    def body(self, value: JsonValue | bytes) -> JsonValue | bytes:
        """A reply's body; bytes are read as text, and stay the same bytes where the key is not in them."""
        if not isinstance(value, bytes):
            return self.json(value)
        if not self._key:
            return value
        head = self._seen(value[:_WHOLE_TEXT_MAX].decode("utf-8", "surrogateescape"))
        return self._prose(head).encode("utf-8", "surrogateescape") + value[_WHOLE_TEXT_MAX:]

    def text(self, text: str) -> str:
        """The text without the key."""
        if not self._key or len(text) < KEY_LENGTH_MIN:
            return text
        if len(text) > _WHOLE_TEXT_MAX:
            # First: it may lie across the end of the head.
            text = text.replace(self._key, BLOT)
            return self.text(text[:_WHOLE_TEXT_MAX]) + text[_WHOLE_TEXT_MAX:]
        is_prose = len(text.split(None, 1)) > 1
        text = self._seen(text)
        if KEY_STAND_IN in text:
            text = text.replace(KEY_STAND_IN, KEY_STAND_IN.lower())
        if not self._holds(text):
            return text
        return self._prose(text) if is_prose else self._address(text)

    def restored(self, url: str) -> str:
        """The address that `text` took the key out of."""
        if not self._key or KEY_STAND_IN not in url:
            return url
        forms = self._forms

        def form(found: re.Match[str]) -> str:
            number = int(found[1] or 0)
            return forms[number] if number < len(forms) else found[0]

        return _STAND_IN.sub(form, url)

    def _holds(self, text: str) -> bool:
        return self._holds_encoded(text) or bool(_ESCAPES.search(text) and self._escaped.search(text))

    def _holds_encoded(self, text: str) -> bool:
        # Most texts hold none of these runs, which is seen ten times as quickly as by the pattern.
        lower = text.lower()
        return any(run in lower for run in self._runs) and bool(self._encoded.search(text))

    def _seen(self, text: str) -> str:
        """The text without what only parts the key: invisible characters, which are taken out where it is shown, and
        breaks between lines."""
        bare = without_invisible(text)
        text = bare if bare != text and self._holds(bare) else text
        joined = _CUTS.sub("", text) if _BREAKS.search(text) else text
        if joined == text or not self._holds(joined):
            return text
        return joined if self._times_in(joined) > self._times_in(text) else text

    def _times_in(self, text: str) -> int:
        return len(self._encoded.findall(text)) + len(self._escaped.findall(text))

    def _prose(self, text: str) -> str:
        return self._without(text, lambda _: BLOT)

    def _address(self, text: str) -> str:
        for number, form in enumerate(self._forms):
            if form in text:
                text = text.replace(form, f"{KEY_STAND_IN}~{number}~" if number else KEY_STAND_IN)
        # Whatever else stands for the key in an address, its plain form means the same there (RFC 3986, 6.2.2.2).
        return self._without(
            text, lambda _: KEY_STAND_IN if quote(self._key, safe="") == self._key else f"{KEY_STAND_IN}~1~"
        )

    def _without(self, text: str, instead: Callable[[re.Match[str]], str]) -> str:
        text = self._encoded.sub(instead, text)
        return self._escaped.sub(instead, text) if _ESCAPES.search(text) else text

    @cached_property
    def _forms(self) -> tuple[str, ...]:
        """How an address may hold the key so that it can be put back exactly; the key as it is comes first."""
        escaped = quote(self._key, safe="")
        digits = self._key.encode().hex()
        in_lower_case = re.sub("%..", lambda found: found[0].lower(), escaped)
        forms = [self._key, escaped, in_lower_case, quote(self._key), digits, digits.upper()]
        for middle, _, _ in _in_base64(self._key):
            forms += [middle, middle.replace("+", "-").replace("/", "_"), quote(middle, safe="")]
        return tuple(dict.fromkeys(forms))

    @cached_property
    def _runs(self) -> frozenset[str]:
        """Letters and digits of which some stand in every text that `_encoded` finds, in lower case."""
        forms = [self._key, self._key.encode().hex(), *(middle for middle, _, _ in _in_base64(self._key))]
        return frozenset(max(re.split(r"[+/]", form), key=len).lower() for form in forms)

    @cached_property
    def _encoded(self) -> re.Pattern[str]:
        """The key as it is, in hexadecimal digits, and in base64 of either alphabet at any place of a longer text."""
        patterns = [re.escape(self._key), f"(?i:{self._key.encode().hex()})"]
        for middle, before, after in _in_base64(self._key):
            letters = "".join(_BASE64_LETTERS.get(letter, letter) for letter in middle)
            patterns.append(f"{_BASE64_ANY * before}{letters}{_BASE64_ANY * after}")
        return re.compile("|".join(patterns))

    @cached_property
    def _escaped(self) -> re.Pattern[str]:
        """The key with any of its characters escaped as JSON, HTML or a URL does it, also several times over."""
        return re.compile("".join(map(_any_way_to_write, self._key)))


_BASE64_ANY = "[A-Za-z0-9+/_-]?"
_BASE64_LETTERS = {"+": "(?:[+-]|%2[Bb])", "/": "(?:[/_]|%2[Ff])"}


def _in_base64(key: str) -> Iterator[tuple[str, int, int]]:
    """The letters of base64 that the key alone decides, for each of the three places it can have in a group, and
    whether a letter before and after them is decided by it in part."""
    data = key.encode()
    for offset in range(3):
        letters = base64.b64encode(b"\0" * offset + data).decode("ascii").rstrip("=")
        start, end = -(-8 * offset // 6), 8 * (offset + len(data)) // 6
        yield letters[start:end], int(offset > 0), int(8 * (offset + len(data)) % 6 > 0)


_NAMED = {"_": ("&lowbar;", "&UnderBar;"), "/": ("&sol;",), "+": ("&plus;",), ".": ("&period;",), "=": ("&equals;",)}
"""HTML's names for what keys hold."""


def _any_way_to_write(character: str) -> str:
    code, plain = ord(character), re.escape(character)
    # Each begins with a letter that is what it says: so the pattern passes quickly over all that none begins with.
    ways = [
        plain,
        rf"\\\\{{0,7}}{plain}",
        rf"%(?:25){{0,3}}(?:u00)?(?i:{code:02x})",
        rf"\\\\{{0,7}}(?:u00|x|U000000)(?i:{code:02x})",
        rf"\\\\{{0,7}}u\{{0{{0,5}}(?i:{code:x})\}}",
        rf"\\\\{{0,7}}{code:03o}",
        rf"&\#0{{0,5}}{code};?",
        rf"&\#[xX]0{{0,5}}(?i:{code:x});?",
        *_NAMED.get(character, ()),
    ]
    return f"(?:{'|'.join(ways)})"
