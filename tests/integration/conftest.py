"""Documents and the bytes of a run over them with nothing wrong: what every run under faults is held against."""

from pathlib import Path

import pytest
from faulty_runs import ANSWER, DOCUMENTS, make, results, run

from extractor.fake_endpoint import FakeEndpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("source") / "in", DOCUMENTS)


@pytest.fixture(scope="module")
def clean(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What a run that met no fault writes."""
    out = tmp_path_factory.mktemp("clean") / "run"
    with FakeEndpoint(ANSWER) as endpoint:
        run(folder, out, endpoint)
    return results(out)


# -- what a failed document says
