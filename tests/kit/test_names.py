"""What names and addresses may be, and which of them are the same."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refonte_studio.kit.errors import BadInput
from refonte_studio.kit.names import (
    address_key,
    checked_address,
    checked_name,
    checked_text,
    is_address,
    mailbox,
    name_key,
    person_key,
)

NFC, NFD = unicodedata.normalize("NFC", "Grün"), unicodedata.normalize("NFD", "Grün")


@pytest.mark.parametrize("written", [NFC, NFD, f"  {NFD}", f"{NFC}\n", f"\u3000{NFC}\u00a0", f"\t{NFD}\r\n"])
def test_names_that_look_the_same_are_the_same(written: str):
    assert checked_name("batch", written) == name_key(written) == NFC


@pytest.mark.parametrize(
    "written",
    [
        "münchen@MÜNCHEN.example",
        " MÜNCHEN@xn--mnchen-3ya.example\n",
        unicodedata.normalize("NFD", "münchen@münchen.example"),
        "münchen@münchen。example",
    ],
)
def test_addresses_that_reach_the_same_mailbox_are_the_same(written: str):
    assert checked_address(written) == address_key(written) == person_key(written) == "münchen@münchen.example"


def test_a_mail_server_gets_the_domain_in_ascii():
    assert mailbox("ben@münchen.example") == "ben@xn--mnchen-3ya.example"
    assert mailbox("ben@example.com") == "ben@example.com"


@pytest.mark.parametrize(
    "written", ["", "  \n", "\u200b", "\u0301", "\u00ad\u2060", "\u3164", "\uffa0", "\u2800", "\ufeff", "\U000e0041"]
)
def test_a_name_that_nobody_can_see_is_refused(written: str):
    with pytest.raises(BadInput, match="the name of a batch must"):
        checked_name("batch", written)


@pytest.mark.parametrize("written", ["two\nlines", "a\u2028b", "a\u2029b", "a\x85b", "a\x00b", "bell\x07"])
def test_a_name_is_one_line(written: str):
    with pytest.raises(BadInput, match="one line without control characters"):
        checked_text("tags[0]", written)


@pytest.mark.parametrize(
    "written", ["é", "ก็", "👩\u200d👩\u200d👧", "می\u200cخواهم", "_", "\ue000", "\U0001fae8", "a\u200b"]
)
def test_a_name_is_of_any_script(written: str):
    assert checked_name("batch", written) == unicodedata.normalize("NFC", written)


def test_a_name_is_as_long_as_it_is_composed():
    assert len(checked_name("batch", unicodedata.normalize("NFD", "é" * 200))) == 200
    with pytest.raises(BadInput, match="at most 200 characters"):
        checked_name("batch", "é" * 201)


@pytest.mark.parametrize("written", [".", "..", " . "])
def test_a_name_that_no_path_can_hold_is_refused(written: str):
    with pytest.raises(BadInput, match="no client could send it"):
        checked_name("batch", written)


@pytest.mark.parametrize("written", ["ben@भारत.example", "ü.ñ+1@x.test", "a@b", "राम@example.com", "a_b@my_host.test"])
def test_an_address_is_of_any_script(written: str):
    assert is_address(written)


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            "ben",
            "@x.test",
            "ben@",
            "a@b@c",
            "a b@x.test",
            "a..b@x.test",
            "ben@x..test",
            "ben@-x.test",
            "ben@x.test.",
        ),
        *("ben@xn--zzzzzzzzz-", "ben@xn--a.test", "ben@i❤.test", "b\u200ben@x.test", "\u3164@x.test", "\u0301@x.test"),
        *("ben@x.test\nBcc: dee@x.test", "b" * 250 + "@x.test", "ben@" + "x" * 64 + ".test", "ben@[::1]", '"b"@x.test'),
    ],
)
def test_what_is_no_address(written: str):
    assert not is_address(written)
    address_key(written)  # looking it up is no error
    with pytest.raises(BadInput, match="not an e-mail address"):
        checked_address(written)


@given(st.text())
def test_the_one_form_of_a_name_is_final(text: str):
    assert name_key(name_key(text)) == name_key(text)


@given(st.builds("{}@{}".format, st.text(max_size=20), st.text(max_size=30)))
def test_the_one_form_of_an_address_is_final(text: str):
    assert address_key(address_key(text)) == address_key(text)
    assert is_address(address_key(text)) == is_address(text)
    if is_address(text):
        assert address_key(mailbox(address_key(text))) == address_key(text)
