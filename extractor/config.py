"""Settings: where each comes from, and which one wins.

Arguments win over the environment (`EXTRACTOR_*`, and `OPENAI_API_KEY`, `OPENAI_BASE_URL`), the
environment wins over `extractor.toml` in the working directory, and that over the defaults.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_cache_path
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from extractor.errors import SettingsError

TOML_FILE = Path("extractor.toml")
PREFIX = "EXTRACTOR_"
FOREIGN = {"api_key": "OPENAI_API_KEY", "base_url": "OPENAI_BASE_URL"}

Mode = Literal["auto", "json_schema", "tools", "json"]
Via = Literal["live", "batch-api"]
RecordMode = Literal["replay", "once", "rerecord", "live"]


class Settings(BaseSettings):
    """Everything that can be set. Times are in seconds, sizes in characters unless said."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, toml_file=TOML_FILE, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    api_key: SecretStr | None = None
    base_url: str | None = None
    model: str = "gpt-5-mini"
    mode: Mode = "auto"
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    reasoning_effort: str | None = None

    ontology: str = "plover"
    prompt: str = "plover"
    prompts_dir: Path | None = None

    timeout: Annotated[float, Field(gt=0)] = 180.0
    document_timeout: Annotated[float, Field(gt=0)] = 900.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 5
    retry_wait: Annotated[float, Field(ge=0)] = 0.5
    max_wait: Annotated[float, Field(ge=0)] = 120.0
    patience: Annotated[float, Field(ge=0)] = 300.0
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 64
    rpm: Annotated[float | None, Field(gt=0)] = None
    tpm: Annotated[float | None, Field(gt=0)] = None
    trust_env: bool = False
    via: Via = "live"
    batch_poll: Annotated[float, Field(gt=0)] = 30.0
    batch_requests: Annotated[int, Field(ge=1, le=50_000)] = 50_000
    batch_bytes: Annotated[int, Field(ge=1000, le=200_000_000)] = 200_000_000
    budget: Annotated[float | None, Field(gt=0)] = None
    max_tokens_total: Annotated[int | None, Field(gt=0)] = None
    max_requests: Annotated[int | None, Field(gt=0)] = None
    price_input: Annotated[float | None, Field(ge=0)] = None
    price_output: Annotated[float | None, Field(ge=0)] = None

    cache: bool = True
    cache_dir: Path = Field(default_factory=lambda: user_cache_path("extractor") / "replies")
    cache_size_limit: Annotated[int | None, Field(gt=0)] = None
    cache_max_age: Annotated[float | None, Field(gt=0)] = None
    replay: Path | None = None
    record: Path | None = None
    record_mode: RecordMode = "once"
    record_note: str = ""
    omit_documents: bool = False

    chunk_size: Annotated[int, Field(ge=500)] = 8000
    chunk_overlap: Annotated[int, Field(ge=0)] = 400
    max_document_chars: Annotated[int, Field(ge=1)] = 1_000_000
    passes: Annotated[int, Field(ge=1, le=9)] = 1
    workers: Annotated[int, Field(ge=0, le=16)] = 1

    @field_validator("passes")
    @classmethod
    def _varied(cls, passes: int, info: ValidationInfo) -> int:
        if passes > 1 and info.data.get("temperature") == 0:
            raise PydanticCustomError("alike", "At temperature 0 all passes say the same; raise it, or leave it out")
        return passes

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def parameters(self) -> tuple[tuple[str, str | int | float | bool], ...]:
        """The sampling parameters that are set: only these are sent, since some models refuse some of them."""
        names = ("max_completion_tokens", "max_tokens", "reasoning_effort", "seed", "temperature", "top_p")
        values = ((name, getattr(self, name)) for name in names)
        return tuple((name, value) for name, value in values if value is not None)

    def public(self) -> dict[str, Any]:
        """All settings as JSON values, the key masked: fit to be shown and stored."""
        shown = self.model_dump(mode="json")
        shown["api_key"] = "set" if self.api_key else None
        return shown


def load_settings(**arguments: Any) -> Settings:
    """Settings from arguments (None means "not given"), environment, extractor.toml and defaults.

    Raises SettingsError, one line, naming the setting and where it came from.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    try:
        return Settings(**(_foreign(given) | given))
    except ValidationError as exc:
        raise SettingsError(_explain(exc, given)) from None
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"{TOML_FILE} is not valid TOML: {exc}.") from None


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Settings with some changed. Raises SettingsError as `load_settings` does."""
    whole = {name: getattr(settings, name) for name in type(settings).model_fields} | changes
    checked = object.__new__(type(settings))
    try:  # past the sources: environment and file have had their say
        checked.__pydantic_validator__.validate_python(whole, self_instance=checked)
    except ValidationError as exc:
        raise SettingsError(_explain(exc, changes)) from None
    return settings.model_copy(update={name: getattr(checked, name) for name in changes})


def sources(settings: Settings, arguments: dict[str, Any]) -> dict[str, str]:
    """For each setting, where its value came from: argument, a variable's name, extractor.toml or default."""
    return {name: _source(name, arguments) for name in type(settings).model_fields}


def _foreign(given: dict[str, Any]) -> dict[str, Any]:
    """OPENAI_* variables, where neither an argument nor our own variable says otherwise."""
    return {
        name: os.environ[variable]
        for name, variable in FOREIGN.items()
        if os.environ.get(variable) and name not in given and not os.environ.get(PREFIX + name.upper())
    }


def _source(name: str, arguments: dict[str, Any]) -> str:
    if arguments.get(name) is not None:
        return "argument"
    own = PREFIX + name.upper()
    for variable in (own, FOREIGN.get(name, own)):
        if os.environ.get(variable):
            return variable
    return str(TOML_FILE) if name in _toml_keys() else "default"


def _toml_keys() -> set[str]:
    try:
        return set(tomllib.loads(TOML_FILE.read_text(encoding="utf-8")))
    except OSError:
        return set()


def _explain(exc: ValidationError, given: dict[str, Any]) -> str:
    first = exc.errors(include_input=False, include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"Unknown setting {name!r}. Known: {', '.join(sorted(Settings.model_fields))}."
    return f"Setting {name} (from {_source(name, given)}): {first['msg']}."
