"""Over stdio each line that asks for an answer gets one, also where it is no request by JSON-RPC 2.0."""

import json

import pytest
from mcp_types import JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from rushes.server.transports.message_lines import InvalidRequest, read_message

from .test_stdio import hosted


def line(**members: object) -> str:
    return json.dumps(members)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (line(jsonrpc="2.0", id=7, method=8), 7),
        (line(jsonrpc="2.0", id="seven", method="ping", params=[1]), "seven"),
        (line(jsonrpc="1.0", id=7, method="ping"), 7),
        (line(id=7, method="ping"), 7),
        (line(jsonrpc="2.0", id=7), 7),
        (line(jsonrpc="2.0", id=0, method=None), 0),
        (line(jsonrpc="2.0", id=1.5, method="ping"), None),
        (line(jsonrpc="2.0", id=True, method="ping"), None),
        (line(jsonrpc="2.0", id=[7], method="ping"), None),
    ],
)
def test_what_asks_for_an_answer_and_is_no_request_is_refused_with_its_id(sent: str, told: object) -> None:
    read = read_message(sent)

    assert isinstance(read, InvalidRequest)
    (answer,) = read.answers
    assert (answer.id, answer.error.code) == (told, -32600)
    assert "Nothing was done" in answer.error.message


LONG = "9" * 4301


def digits(where: str) -> str:
    return '{"jsonrpc":"2.0","id":7,"method":"ping","params":%s}' % where.replace("#", LONG)  # noqa: UP031


@pytest.mark.parametrize(
    ("sent", "told", "code"),
    [
        (digits('{"x":#}'), 7, -32600),
        (digits('{"x":-#}'), 7, -32600),
        (digits("[[#]]"), 7, -32600),
        (digits("{}").replace("7", LONG), None, -32600),
        ("{no json", None, -32700),
        (digits("{}")[:-1], None, -32700),
        (digits("{}") * 2, None, -32700),
        ("\ufffd\ufffd" + digits("{}"), None, -32700),
        ("\0" + digits("{}"), None, -32700),
        (digits('{"x":"a\0b"}'), 7, -32700),
        (digits('{"x":"a\tb"}'), 7, -32700),
        ("[" * 50_000, None, -32700),
        ('"a text"', None, -32600),
        ("7", None, -32600),
        ("null", None, -32600),
        ("[]", None, -32600),
        ("[1,2]", None, -32600),
        (f"[[{digits('{}')}]]", None, -32600),
    ],
    ids=range(18),
)
def test_a_line_that_cannot_be_read_as_a_message_is_refused(sent: str, told: object, code: int) -> None:
    read = read_message(sent)

    assert isinstance(read, InvalidRequest)
    (answer,) = read.answers
    assert (answer.id, answer.error.code) == (told, code)
    assert "Nothing was done" in answer.error.message


def test_a_byte_order_mark_before_a_line_is_passed_over() -> None:
    assert isinstance(read_message("\ufeff" + digits("{}")), JSONRPCRequest)


def test_over_stdio_no_line_ends_the_process_or_stays_without_an_answer() -> None:
    lines = [digits('{"x":#}'), "[" * 50_000, "{no json"]
    with hosted() as host:
        for sent in lines:
            host.send(sent)
        refused = [host.receive() for _ in lines]
        host.ask(3, "ping")
        answered = host.receive()

    assert [each["id"] for each in refused] == [7, None, None]
    assert (answered["id"], answered["result"]) == (3, {})


def test_a_batch_is_refused_with_the_id_of_each_who_waits() -> None:
    requests: list[dict[str, object]] = [{"jsonrpc": "2.0", "id": each, "method": "ping"} for each in (7, "eight")]
    notice = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    read = read_message(json.dumps([*requests, notice, 9]))

    assert isinstance(read, InvalidRequest)
    assert [answer.id for answer in read.answers] == [7, "eight"]
    assert read_message(json.dumps([notice])) is None


@pytest.mark.parametrize(
    "sent",
    [
        "",
        " \t\r",
        line(jsonrpc="2.0", method=8),
        line(jsonrpc="2.0", id=7, result="no object"),
        line(jsonrpc="2.0", id=7, error=8),
    ],
)
def test_what_asks_for_no_answer_gets_none(sent: str) -> None:
    assert read_message(sent) is None


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (line(jsonrpc="2.0", id=7, method="ping"), JSONRPCRequest),
        (line(jsonrpc="2.0", method="notifications/initialized"), JSONRPCNotification),
        (line(jsonrpc="2.0", id=None, method="notifications/initialized"), JSONRPCNotification),
        (line(jsonrpc="2.0", method="notifications/x", params={"id": 1.5}), JSONRPCNotification),
        (line(jsonrpc="2.0", id="7", result={}), JSONRPCResponse),
    ],
)
def test_what_is_valid_is_read_as_ever(sent: str, kind: type) -> None:
    assert isinstance(read_message(sent), kind)


def test_over_stdio_the_refusal_comes_and_the_next_request_is_answered() -> None:
    with hosted() as host:
        host.send(line(jsonrpc="2.0", id=2, method="ping", params=[1]))
        refused = host.receive()
        host.ask(3, "ping")
        answered = host.receive()

    assert (refused["id"], refused["jsonrpc"]) == (2, "2.0")
    assert '"code": -32600' in json.dumps(refused["error"])
    assert (answered["id"], answered["result"]) == (3, {})
