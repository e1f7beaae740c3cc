import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from herdbook.system.cells import as_cell, as_cells, from_cell, from_cells

FORMULAS = ("=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "=HYPERLINK('http://x')", "\t=1", " =1", "=", "-", "＝1+1")
PLAIN = ("A", "BB-1", "-5", "+1.5e3", "-0", "", "'", "it's", "'quoted'", "a=b", "1+1", "蟻", "NA")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_like_a_formula_is_shown_and_not_run(text: str) -> None:
    assert as_cell(text) == f"'{text}"
    assert from_cell(as_cell(text)) == text


@pytest.mark.parametrize("text", PLAIN)
def test_other_texts_and_numbers_stay_as_they_are(text: str) -> None:
    assert as_cell(text) == text == from_cell(text)


@given(st.text(alphabet="'=+-@ 1ea\t"))
def test_every_text_is_read_back_as_it_was(text: str) -> None:
    assert from_cell(as_cell(text)) == text


def test_a_table_is_written_with_safe_cells_and_read_back() -> None:
    names = [*FORMULAS, *PLAIN]
    table = pd.DataFrame({"individual": names, "=x": range(len(names)), "y": -0.5})
    written = as_cells(table).to_csv(index=False)
    found = pd.read_csv(io.StringIO(written), keep_default_na=False, dtype={"individual": str})
    assert found.columns.tolist() == ["individual", "'=x", "y"]
    assert not [cell for cell in found["individual"] if cell.lstrip()[:1] in ("=", "@")]
    assert from_cells(found["individual"]).tolist() == names
    assert found["y"].tolist() == [-0.5] * len(names)
    assert table["individual"].tolist() == names
