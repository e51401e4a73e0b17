"""Names of columns: readable, each once, and the nearest where one is not there."""

import pytest

from litotes.core.errors import DataError
from litotes.data.column_names import check_column, check_column_names


def test_names_that_cannot_be():
    check_column_names(["a", "b"], "x.csv")
    with pytest.raises(DataError, match="x.csv: the column 'a' stands twice. Rename one of them."):
        check_column_names(["a", "b", "a"], "x.csv")
    with pytest.raises(DataError, match="x.csv: 'the name of a column' holds half a character"):
        check_column_names(["a\ud800"], "x.csv")


def test_a_column_that_is_not_there():
    check_column(["query", "text"], "text", "text", "x.csv")
    with pytest.raises(DataError) as raised:
        check_column(["query", "text"], "txt", "text", "x.csv")
    assert str(raised.value) == "x.csv: text='txt' is not among the columns 'query', 'text'. Did you mean 'text'?"
    with pytest.raises(DataError, match="'query', 'text'.$"):
        check_column(["query", "text"], "zzz", "text", "x.csv")
