"""The page itself, as a file: what must hold of it without a browser."""

import re
from html.parser import HTMLParser

import pytest

from rushes.server.mcp.viewer import page

BYTES_MAX = 26 * 1024
"""A host loads it anew for every card."""

MARKUP_FROM_TEXT = (
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "createContextualFragment",
    "DOMParser",
    "setHTML",
    "srcdoc",
    "eval(",
    "new Function",
    "setTimeout(`",
)
REQUESTS = ("fetch(", "XMLHttpRequest", "WebSocket", "EventSource", "sendBeacon", "import(", "importScripts", "Worker(")
STORAGE = ("localStorage", "sessionStorage", "indexedDB", "document.cookie")


class Markup(HTMLParser):
    """The elements of the page, their attributes, and the ids among them."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def script() -> str:
    (text,) = re.findall(r"<script>(.*?)</script>", page(), re.DOTALL)
    return str(text)


def test_the_page_is_small() -> None:
    assert len(page().encode()) <= BYTES_MAX


def test_the_page_names_no_address_so_that_it_can_ask_for_nothing_outside() -> None:
    assert re.findall(r"(?:https?|wss?|ftp):?//\w[\w.-]*", page()) == []
    assert re.findall(r"url\(", page()) == []
    assert [word for word in REQUESTS if word in page()] == []


def test_the_page_is_one_file_without_handlers_in_its_markup() -> None:
    elements = Markup().elements
    assert [tag for tag, _ in elements if tag in {"link", "img", "iframe", "object", "embed", "base", "form"}] == []
    attributes = [name for _, attributes in elements for name in attributes]
    assert [name for name in attributes if name in {"src", "href", "action"} or name.startswith("on")] == []
    assert [tag for tag, _ in elements].count("script") == 1


@pytest.mark.parametrize("word", MARKUP_FROM_TEXT)
def test_text_from_outside_cannot_become_markup_or_code(word: str) -> None:
    assert word not in page()


@pytest.mark.parametrize("word", STORAGE)
def test_the_page_leaves_nothing_behind(word: str) -> None:
    assert word not in page()


def test_every_element_that_the_script_looks_up_is_there_once() -> None:
    ids = [identifier for _, attributes in Markup().elements if (identifier := attributes.get("id"))]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'\$\("([\w-]+)"\)', script())) <= set(ids)
    assert set(re.findall(r'\b(?:say|list|redraw)\("([\w-]+)"', script())) <= set(ids)


def test_the_page_says_its_language_and_what_it_is_to_those_who_do_not_see_it() -> None:
    elements = Markup().elements
    assert ("html", {"lang": "en"}) in elements
    assert [tag for tag, _ in elements].count("main") == 1
    assert any(attributes.get("role") == "status" for _, attributes in elements)
    assert all(attributes.get("type") == "button" for tag, attributes in elements if tag == "button")
