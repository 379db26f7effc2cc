"""The version of this package, in a place that costs nothing to import."""

VERSION = "0.1.0"
