from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from esclusa.connectors.rest import RestSettings
from esclusa.connectors.settings import ItemsSettings
from esclusa.connectors.transform import compiled, transform_of


@pytest.fixture
def shapes() -> Iterator[types.ModuleType]:
    """A user's module, importable as `my_shapes`."""
    module = types.ModuleType("my_shapes")
    sys.modules["my_shapes"] = module
    yield module
    del sys.modules["my_shapes"]


def test_a_jmespath_expression_shapes_the_answer() -> None:
    transform = compiled("files[?open].{id: number, city: place.name}")
    answer = b'{"files": [{"number": 1, "open": true, "place": {"name": "Le\xc3\xb3n"}}, {"number": 2, "open": false}]}'
    assert transform(answer) == '[{"id":1,"city":"León"}]'.encode()


def test_an_expression_may_have_several_lines() -> None:
    assert compiled("\n[\n  a,\n  b\n]\n")(b'{"a":1,"b":2}') == b"[1,2]"


def test_a_result_of_null_is_nothing_about_the_subject() -> None:
    assert compiled("files.absent")(b'{"files": {}}') is None


def test_a_function_shapes_the_answer(shapes: types.ModuleType) -> None:
    def first(answer: Any) -> Any:
        return {"n": answer["files"][0]}

    vars(shapes)["first"] = first
    assert compiled("my_shapes:first")(b'{"files": [7]}') == b'{"n":7}'


def test_a_method_of_a_class_is_named_with_dots(shapes: types.ModuleType) -> None:
    class Shapes:
        @staticmethod
        def size(answer: Any) -> int:
            return len(answer)

    vars(shapes)["Shapes"] = Shapes
    assert compiled("my_shapes:Shapes.size")(b"[1,2,3]") == b"3"


async def _coroutine(answer: Any) -> Any:
    return answer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("files[", "no JMESPath expression"),
        ("a b", "from character 3 on"),
        ("", "no JMESPath expression"),
        ("no_such_module:function", r"no_such_module can't be imported \(ModuleNotFoundError"),
        ("my_shapes:absent", "my_shapes has no function absent"),
        ("my_shapes:NUMBER", "my_shapes has no function NUMBER"),
        ("my_shapes:coroutine", "is a coroutine"),
    ],
)
def test_what_is_neither_is_an_error_in_words(shapes: types.ModuleType, text: str, words: str) -> None:
    vars(shapes).update(NUMBER=3, coroutine=_coroutine)
    with pytest.raises(ValueError, match=words):
        compiled(text)


def test_numbers_and_letters_come_through_unchanged() -> None:
    assert (
        compiled("@")('[12345678901234567890, 1.5, true, null, "ñ"]'.encode())
        == '[12345678901234567890,1.5,true,null,"ñ"]'.encode()
    )


def test_a_connector_says_what_becomes_of_its_answers_in_one_way_or_not_at_all() -> None:
    url = "http://dgt.example/"
    answer = b'{"files": [{"n": 1}]}'
    assert transform_of(RestSettings(url=url)) is None
    for settings, data in (
        (RestSettings(url=url, transform="files[].n"), b"[1]"),
        (RestSettings(url=url, items=ItemsSettings(source="files", label="n")), b'[{"label":1}]'),
    ):
        transform = transform_of(settings)
        assert transform is not None
        assert transform(answer) == data


def test_what_a_function_says_is_json_is_looked_at(shapes: types.ModuleType) -> None:
    vars(shapes)["broken"] = lambda answer: {"a": msgspec.Raw(answer.encode())}
    transform = compiled("my_shapes:broken")
    assert transform(b'"[1]"') == b'{"a":[1]}'
    for broken in (b'"[1"', b'"1 2"'):
        with pytest.raises(ValueError, match="this is no JSON"):
            transform(broken)
