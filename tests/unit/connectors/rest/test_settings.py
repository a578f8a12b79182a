"""What a REST connector's settings say."""

from __future__ import annotations

import msgspec

from esclusa.connectors.rest import RestSettings


def test_another_url_is_another_address() -> None:
    one = RestSettings(url="https://dgt.example/")
    assert one.address == msgspec.structs.replace(one, title="Another").address
    assert one.address != RestSettings(url="https://aeat.example/").address


def test_where_placeholders_may_stand_is_where_texts_are() -> None:
    fields = {field.encode_name for field in msgspec.structs.fields(RestSettings)}
    assert set(RestSettings.templates) <= fields
