"""Line ends within quotes end no record, told sign by sign and however the bytes come."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from segspark.ingest.files.line_checks import Lines
from segspark.ingest.files.quote_checks import Quotes
from segspark.ingest.files.text_bytes import FlawError
from segspark.settings.formats import CsvFormat

FORMATS = [
    CsvFormat(kind="csv", multiline=True),
    CsvFormat(kind="csv", multiline=True, escape="\\"),
    CsvFormat(kind="csv", multiline=True, delimiter="||", quote="§"),
    CsvFormat(kind="csv", multiline=True, quote=""),
]
SIGNS = st.lists(st.sampled_from(["a", ",", "|", '"', "§", "\\", "\n", "\r"]), max_size=30)
TEXTS = SIGNS.map("".join)


def inside_quotes(text: str, csv_format: CsvFormat) -> tuple[list[bool], int | None]:
    """Of each sign whether it stands in quotes, by a walk; and the quote that stays open."""
    quote, escape, delimiter = csv_format.quote, csv_format.escape, csv_format.delimiter
    inside, opened, at = [False] * len(text), None, 0
    while at < len(text):
        before, pair = text[:at], text[at : at + 2]
        begins_field = not before or before.endswith((delimiter, "\r", "\n"))
        if opened is None:
            step = 1
            if quote and text[at] == quote and begins_field:
                opened = at
        elif pair in {escape + quote, escape + escape}:
            step = 2
        else:
            step = 1
        inside[at : at + step] = [opened is not None] * len(pair[:step])
        if opened not in {None, at} and step == 1 and text[at] == quote:
            opened = None
        at += step
    return inside, opened


@given(TEXTS, st.sampled_from(FORMATS))
@example('"a""\n",b\n', FORMATS[0])
@example('"a\\\\"\nb', FORMATS[1])
def test_what_stands_in_quotes_is_masked_and_an_open_quote_is_found(
    text: str, csv_format: CsvFormat
) -> None:
    inside, opened = inside_quotes(text, csv_format)
    masked = "".join(
        "x" * len(sign.encode()) if is_in else sign
        for sign, is_in in zip(text, inside, strict=True)
    )
    quotes = Quotes(csv_format)
    assert quotes.masked(text.encode()) == masked.encode()
    place = None if opened is None else len(text[:opened].encode())
    assert quotes.open_place(text.encode()) == place


def outcome(chunks: list[bytes], csv_format: CsvFormat) -> tuple[str, int]:
    """What is wrong, and where, once these bytes were taken in."""
    lines = Lines(csv_format)
    try:
        for chunk in chunks:
            lines.feed(chunk)
        lines.finish()
    except FlawError as flaw:
        return flaw.text, flaw.place
    return "", 0


@given(TEXTS, st.sampled_from(FORMATS), st.lists(st.integers(1, 40), max_size=5))
@example('1,"a\nb\n,"\n2,3', FORMATS[0], [7])
def test_it_makes_no_difference_in_which_parts_the_bytes_come(
    text: str, csv_format: CsvFormat, cuts: list[int]
) -> None:
    # The names of columns are those of the first part.
    start, content = b"who,at\n" if csv_format.delimiter == "," else b"who||at\n", text.encode()
    places = sorted({0, *(cut for cut in cuts if cut < len(content)), len(content)})
    parts = [content[a:b] for a, b in pairwise(places)]
    first, *rest = parts or [b""]
    assert outcome([start + first, *rest], csv_format) == outcome([start + content], csv_format)
