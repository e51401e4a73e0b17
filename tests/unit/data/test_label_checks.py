"""What no classifier can learn from is said before it tries."""

import pytest

from litotes.core.errors import DataError
from litotes.data.label_checks import check_classes
from litotes.data.labelled_table import LabelledTable, read_labelled_table


def test_one_class_alone():
    with pytest.raises(DataError, match="mine: every row has the label 'a'. Expected two classes at least."):
        check_classes(LabelledTable.from_arrays(["a", "a"], name="mine"))


def test_no_labels_at_all(put):
    with pytest.raises(DataError, match="x.csv: no row has a label. Expected two classes at least."):
        check_classes(read_labelled_table(put("x.csv", "x\n1\n"), label=None))


def test_a_class_that_only_the_validation_rows_have(put):
    data = read_labelled_table(put("train.csv", "x,y\n1,billing\n2,bug\n"), label="y")
    valid = read_labelled_table(put("valid.csv", "x,y\n1,bug\n2,biling\n"), label="y")
    with pytest.raises(DataError) as raised:
        check_classes(data, valid)
    assert str(raised.value).endswith(
        f"valid.csv:3: the label 'biling' is none of the 2 classes of {data.origin}. Did you mean 'billing'? "
        "Mend the label, or leave the row out."
    )


def test_a_class_that_only_the_training_rows_have_is_fine():
    data, valid = LabelledTable.from_arrays(["a", "b", "c"]), LabelledTable.from_arrays(["a", "b"])
    check_classes(data, valid)
    check_classes(data)
