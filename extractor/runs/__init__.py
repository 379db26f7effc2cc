"""Runs over folders of documents: sources, ledger, runner, results.

The package is not called `batch`, so that `extractor.batch` can be the function.
"""
