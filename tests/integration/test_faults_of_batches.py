"""Faults of a provider with batches: expired, failed, cut while fetched; documents lost 0."""

from pathlib import Path

from faulty_runs import lines, make, provider, through_batches

from extractor import fake_faults as faults


def test_an_expired_batch_that_answered_nothing_is_ordered_again_as_a_whole(tmp_path: Path) -> None:
    """63 and F86: no output, no loss."""
    with provider(ends=["expired"], share=0.0) as (endpoint, batches):
        summary = through_batches(make(tmp_path / "in", 4), tmp_path / "run", endpoint)
    assert (summary.states, summary.exit_code, len(batches.orders)) == ({"done": 4}, 0, 2)


def test_a_completed_batch_with_nothing_but_errors_tells_each_document_its_own(tmp_path: Path) -> None:
    """63: refused requests fail, each alone, and are not sent again."""
    with provider(faults.status(400, "no such thing")) as (endpoint, batches):
        summary = through_batches(make(tmp_path / "in", 4), tmp_path / "run", endpoint)
    assert (summary.states, summary.exit_code, len(batches.orders)) == ({"failed": 4}, 3, 1)
    failures = lines(tmp_path / "run", "failures.jsonl")
    assert {(one["class"], one["reason"]) for one in failures} == {("RequestRejected", "no such thing")}


def test_a_batch_in_which_the_server_failed_every_request_blames_no_document(tmp_path: Path) -> None:
    """63: sent again as often as is allowed, then exit 4 with all pending; a healthy provider finishes it."""
    folder, out = make(tmp_path / "in", 4), tmp_path / "run"
    with provider(faults.status(500)) as (endpoint, batches):
        summary = through_batches(folder, out, endpoint)
        assert (summary.states, summary.exit_code, len(batches.orders)) == ({"pending": 4}, 4, 3)
    with provider() as (endpoint, _):
        assert through_batches(folder, out, endpoint).states == {"done": 4}


def test_an_output_that_is_cut_while_it_is_fetched_is_fetched_again(tmp_path: Path) -> None:
    """63: half a file is no file; nothing is uploaded or ordered a second time for it."""
    cut: list[str] = []

    def at(step: str, when: str) -> faults.Fault | None:
        if (step, when) != ("fetch", "before") or cut:
            return None
        cut.append(step)
        return faults.Fault(body=b'{"custom_id": "x"}\n' * 200, how="cut")

    with provider(on=at) as (endpoint, batches):
        summary = through_batches(make(tmp_path / "in", 4), tmp_path / "run", endpoint)
    assert cut and (summary.states, len(batches.uploads), len(batches.orders)) == ({"done": 4}, 1, 1)
    assert not list((tmp_path / "run/batches").glob("part-*"))


# -- errors
