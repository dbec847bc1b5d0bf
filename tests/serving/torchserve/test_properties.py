"""Java's files of properties."""

import pytest

from rvae.serving.torchserve.properties import property_line, read_properties


@pytest.mark.parametrize(
    "value",
    ["", "plain", " a b ", "c:\\d=e#f!g", "two\nlines\tand\r\f", "ü€𝒳", '{"a": "b"}', "\\", "\x00"],
)
def test_what_is_written_is_read_again(value: str) -> None:
    line = property_line("name", value)
    assert line.isascii() and line.count("\n") == 1
    assert read_properties(f"other=1\n{line}last=2\n")["name"] == value


def test_a_file_as_java_writes_it() -> None:
    text = (
        "#Saving snapshot\n#Sun Nov 22 09:01:02 UTC 2026\n"
        "inference_address=http\\://127.0.0.1\\:8080\n"
        'model_snapshot={\\n  "name"\\: "a-b.cfg",\\n  "modelCount"\\: 1\\n}\n'
        "spaced\\ name=\\ leading\n"
        "model_store=/tmp/ü\n"
    )
    assert read_properties(text) == {
        "inference_address": "http://127.0.0.1:8080",
        "model_snapshot": '{\n  "name": "a-b.cfg",\n  "modelCount": 1\n}',
        "spaced name": " leading",
        "model_store": "/tmp/ü",
    }


def test_a_file_as_people_write_it() -> None:
    text = "! note\n\n  a : 1\r\nb 2\nc=one\\\n   more\nd\n a=3\ne=odd\\\\\nf=4\n"
    assert read_properties(text) == {
        "a": "3",
        "b": "2",
        "c": "onemore",
        "d": "",
        "e": "odd\\",
        "f": "4",
    }


def test_half_a_character_is_an_error() -> None:
    with pytest.raises(ValueError):
        read_properties("a=\\ud800")
