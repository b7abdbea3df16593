"""A tool's result is an error where its status or its words say so, and not where it only speaks of errors."""

import pytest

from shared.messages import Turn
from shared.tool_errors import is_error


def result(text: str, failed: bool | None = None) -> Turn:
    return Turn("tool", text, failed=failed)


@pytest.mark.parametrize(
    "text",
    [
        "Error: user not found",
        "Error executing tool: no such order",
        "ERROR 404",
        "SQL Error: no such table: albums",
        "Observation:\nTraceback (most recent call last):\n  File",
        "some output\nValueError: bad number",
        "requests.exceptions.ConnectionError: refused",
        '{"error": "not found"}',
        '{"status": "error", "id": 7}',
        '{"success": false}',
        '{"id": 7, "error": {"message": "no"}}',
        '{"status": 404, "path": "/a"}',
        "{'error': 'as Python prints it'}",
        '{\n  "error": "printed in lines", truncated...',
        "[error] it broke",
        "Failed to connect to the server",
        "bash: foo: command not found",
        "An unexpected error occurred.",
        "cat: a.txt: No such file or directory",
    ],
)
def test_a_result_that_says_so_in_words_is_an_error(text: str) -> None:
    """Most tools hand an error over as text, and many frameworks mark it a success."""
    assert is_error(result(text, failed=False))


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"error": null, "rows": 3}',
        '{"errors": [], "ok": true}',
        '{"error": ""}',
        '{"success": true}',
        "Errors are explained in chapter 7 of this book.",
        "The film is about a failed exception to the rule.",
        "No errors found.",
        "error-prone code is hard to read",
        "1\n2\nError: as the manual says\n4\n5\n6",
        '{"error_count": 0}',
        '{"status": "ok", "code": 200}',
        '{"lines": ["Error: of somebody else"]}',
    ],
)
def test_a_result_that_only_speaks_of_errors_is_none(text: str) -> None:
    assert not is_error(result(text))


def test_the_status_of_a_result_counts_whatever_it_says() -> None:
    assert is_error(result("all well", failed=True))
