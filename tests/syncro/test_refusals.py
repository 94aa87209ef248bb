"""Bob sends a record that Syncro refuses: whatever the shape, he reads why, beside the field."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from propolis.syncro.refusals import Refusal, flatten, read_refusal, split_messages

PARSE = 'Email Only able to parse up to "it is not, An email"'


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        pytest.param(
            {"success": False, "message": ["Email is not an email", PARSE], "params": {"email": "x"}},
            {"email": ["Email is not an email", PARSE]},
            id="1: a list with the input echoed",
        ),
        pytest.param(
            {"success": False, "message": ["Email is not an email"]},
            {"email": ["Email is not an email"]},
            id="2: a list alone",
        ),
        pytest.param(
            {"record": {"id": None, "email": "x"}, "errors": f"Email is not an email,{PARSE}"},
            {"email": ["Email is not an email", PARSE]},
            id="3: one string beside the record",
        ),
        pytest.param(
            {"record": {"id": 7}, "errors": "Customer can't be blank"},
            {"customer_id": ["Customer can't be blank"]},
            id="3: of a change",
        ),
        pytest.param(
            {"errors": "Name can't be blank, Description can't be blank", "params": {}},
            {"name": ["Name can't be blank"], "": ["Description can't be blank"]},
            id="4: one string with spaces",
        ),
        pytest.param(
            {"errors": {"mute_for": ["must be a number"], "phone": {"number": ["is too short"]}}},
            {"mute_for": ["must be a number"], "phone.number": ["is too short"]},
            id="5: by field, nested",
        ),
        pytest.param(
            {"success": False, "errors": ["Body can't be blank"], "params": {}},
            {"": ["Body can't be blank"]},
            id="6: errors as a list",
        ),
        pytest.param(
            {"error": "Customer required field"},
            {"customer_id": ["Customer required field"]},
            id="7: error as a string",
        ),
        pytest.param(
            {"error": ["Frequency Must be a valid selection", "Name is too long"]},
            {"": ["Frequency Must be a valid selection"], "name": ["Name is too long"]},
            id="8: error as a list",
        ),
        pytest.param({"date": ["can't be blank"]}, {"date": ["can't be blank"]}, id="9: bare fields"),
        pytest.param(
            {"success": False, "error": "A is bad,B is bad", "message": "A is bad,B is bad", "params": {}},
            {"": ["A is bad", "B is bad"]},
            id="10: the same said twice",
        ),
        pytest.param({"message": "Vendor is blank"}, {"": ["Vendor is blank"]}, id="11: message alone"),
        pytest.param(
            {"message": ["Vendor is blank", "Value is blank"]},
            {"": ["Vendor is blank", "Value is blank"]},
            id="a 400",
        ),
    ],
)
def test_every_shape_is_understood(answer, fields):
    assert read_refusal(json.dumps(answer).encode()).fields == fields


def test_sentences_are_whole_whatever_the_shape():
    assert flatten({"errors": {"email": ["is not an email"], "": ["Nothing fits"]}}).sentences == [
        "Email is not an email.",
        "Nothing fits.",
    ]
    assert flatten({"ticket_subject": ["can't be blank!"]}).sentences == ["Ticket subject can't be blank!"]


@pytest.mark.parametrize(
    "body", [b"", b"null", b"{}", b"<html>no</html>", b'{"success":false}', b"[]", b"\xff", b"[" * 5000, b"7"]
)
def test_an_answer_without_a_reason_gives_none(body):
    assert read_refusal(body) == Refusal({}, [])


def test_what_was_sent_is_never_repeated():
    answer = {"success": False, "params": {"email": ["secret@example.com"]}, "record": ["secret"]}
    assert flatten(answer) == Refusal({}, [])


def test_remote_text_is_kept_short_and_printable():
    refusal = flatten({"message": ["Name \x1b[31m\nis\u2028bad", "x" * 10_000, *map(str, range(500))]})
    assert refusal.sentences[0] == "Name [31m is bad."
    assert (len(refusal.sentences), max(map(len, refusal.sentences))) == (50, 301)


MESSAGES = st.lists(
    st.from_regex(r"[A-Z][a-z]{1,8}( (is|can't|be|\"[a-z, A-Z]{0,9}\")){1,4}", fullmatch=True), max_size=6
)


@given(MESSAGES, st.sampled_from([",", ", "]))
def test_joined_messages_come_apart_where_they_were_joined(messages, comma):
    assert split_messages(comma.join(messages)) == messages


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["errors", "message", "error", "params", "a", ""]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_answer_whatever_breaks_the_parser(answer):
    refusal = flatten(answer)
    assert len(refusal.sentences) == sum(len(said) for said in refusal.fields.values())
    assert all(isinstance(said, str) and said for said in refusal.sentences)
