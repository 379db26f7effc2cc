"""The ontology as data: vocabularies out of a versioned YAML file, checked when it is loaded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.errors import OntologyError

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node

FOLDER = Path(__file__).parent / "ontologies"
SECTIONS = (
    "id", "version", "entity_types", "sectors", "roles", "modalities", "quads", "event_types", "contexts", "predicates",
)  # fmt: skip
WIKIDATA = re.compile(r"P[1-9]\d*")
ANY = "any"


@dataclass(frozen=True, slots=True)
class Mode:
    """A way in which an event of a type happens."""

    name: str
    score: float
    definition: str


@dataclass(frozen=True, slots=True)
class EventType:
    """`quad` is 1 to 4; `score` runs from -10 (most hostile) to 10."""

    name: str
    quad: int
    score: float
    definition: str
    modes: Mapping[str, Mode]


@dataclass(frozen=True, slots=True)
class Predicate:
    """A kind of relation; `subject` and `object` are the entity types it joins."""

    name: str
    wikidata: str | None
    subject: frozenset[str]
    object: frozenset[str]
    symmetric: bool
    definition: str


@dataclass(frozen=True, eq=False)
class Ontology:
    """All vocabularies of one version; each maps a name to its definition, in the order of the file."""

    id: str
    version: int
    digest: str
    entity_types: Mapping[str, str]
    sectors: Mapping[str, str]
    roles: Mapping[str, str]
    modalities: Mapping[str, str]
    quads: Mapping[int, str]
    types: Mapping[str, EventType]
    contexts: Mapping[str, str]
    predicates: Mapping[str, Predicate]

    @property
    def ref(self) -> str:
        """`plover@1`"""
        return f"{self.id}@{self.version}"

    def quad(self, event_type: str) -> int:
        return self.types[event_type].quad

    def score(self, event_type: str, modes: Iterable[str] = ()) -> float:
        """That of the most extreme mode, else the type's."""
        found = self.types[event_type]
        return max((found.modes[mode].score for mode in modes), key=abs, default=found.score)


def load_ontology(name: str | Path = "plover") -> Ontology:
    """An ontology by name (`plover`, `plover@1`) or by the path of a YAML file.

    Raises OntologyError: for an unknown name with those that exist, for a mistake with file and line.
    """
    path = Path(name) if str(name).endswith((".yaml", ".yml")) else _named(str(name))
    try:
        return _load(path, path.read_bytes())
    except OSError as exc:
        raise OntologyError(f"Cannot read the ontology {path}: {exc.strerror}.") from None


def _named(name: str) -> Path:
    """The file of a name; without a version, the highest."""
    base, _, version = name.partition("@")
    known = {path.name.removesuffix(".yaml"): path for path in FOLDER.glob("*.v*.yaml")}
    fitting = [key for key in known if re.fullmatch(rf"{re.escape(base)}\.v{re.escape(version) or '[0-9]+'}", key)]
    if not fitting:
        names = ", ".join(sorted(key.replace(".v", "@") for key in known))
        raise OntologyError(f"Unknown ontology {name!r}.", hint=f"There is {names}; or give the path of a .yaml file.")
    return known[max(fitting, key=lambda key: int(key.rpartition(".v")[2]))]


@lru_cache(maxsize=16)
def _load(path: Path, data: bytes) -> Ontology:
    reader = Reader(path)
    root = reader.sections(reader.root(data), SECTIONS)
    entity_types = reader.words(root["entity_types"])
    predicates = {key: reader.predicate(key, node, entity_types) for key, node in reader.items(root["predicates"])}
    return Ontology(
        id=str(reader.scalar(root["id"], str)),
        version=int(reader.scalar(root["version"], int)),
        digest=hashlib.sha256(data).hexdigest(),
        entity_types=entity_types,
        sectors=reader.words(root["sectors"]),
        roles=reader.words(root["roles"]),
        modalities=reader.words(root["modalities"]),
        quads={reader.quad_name(key, node): text for (key, node), text in reader.quads(root["quads"])},
        types={key: reader.event_type(key, node) for key, node in reader.items(root["event_types"])},
        contexts=reader.words(root["contexts"]),
        predicates=predicates,
    )


class Reader:
    """Reads YAML nodes, which know their line, so that each mistake is told with its place."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, node: Node, problem: str) -> OntologyError:
        return OntologyError(f"{self.path.name}:{node.start_mark.line + 1}: {problem}.")

    def root(self, data: bytes) -> Node:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            root: Node | None = yaml.compose(data.decode("utf-8"), Loader=loader)
        except UnicodeDecodeError as exc:
            raise OntologyError(f"{self.path.name} is not UTF-8: {exc.reason} at byte {exc.start}.") from None
        except yaml.YAMLError as exc:
            mark = getattr(exc, "problem_mark", None)
            line = mark.line + 1 if mark else 1
            raise OntologyError(f"{self.path.name}:{line}: not valid YAML: {getattr(exc, 'problem', exc)}.") from None
        if root is None:
            raise OntologyError(f"{self.path.name} is empty.")
        return root

    def mapping(self, node: Node) -> MappingNode:
        from yaml.nodes import MappingNode

        if not isinstance(node, MappingNode):
            raise self.fail(node, "expected names with values")
        return node

    def items(self, node: Node) -> list[tuple[str, Node]]:
        found: dict[str, Node] = {}
        for key, value in self.mapping(node).value:
            if key.value in found:
                raise self.fail(key, f"{key.value!r} is there twice")
            found[str(key.value)] = value
        return list(found.items())

    def sections(self, node: Node, names: Iterable[str], optional: Iterable[str] = ()) -> dict[str, Node]:
        """The values by name: all of `names`, none but these and `optional`."""
        found = dict(self.items(node))
        for name in names:
            if name not in found:
                raise self.fail(node, f"{name!r} is missing")
        for key, _ in self.mapping(node).value:
            if key.value not in {*names, *optional}:
                raise self.fail(key, f"unknown {key.value!r}; expected {', '.join([*names, *optional])}")
        return found

    def scalar(self, node: Node, kind: type) -> Any:
        import yaml

        from_yaml = yaml.SafeLoader("")
        value = from_yaml.construct_object(node, deep=True)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
            raise self.fail(node, f"expected a value of type {kind.__name__}, got {node.value!r}")
        return value

    def words(self, node: Node) -> dict[str, str]:
        return {key: str(self.scalar(value, str)) for key, value in self.items(node)}

    def quads(self, node: Node) -> list[tuple[tuple[str, Node], str]]:
        return [((key, value), str(self.scalar(value, str))) for key, value in self.items(node)]

    def quad_name(self, key: str, node: Node) -> int:
        if key not in {"1", "2", "3", "4"}:
            raise self.fail(node, f"a quad is 1, 2, 3 or 4, not {key!r}")
        return int(key)

    def score(self, node: Node) -> float:
        score = float(self.scalar(node, float))
        if not -10 <= score <= 10:
            raise self.fail(node, f"a score lies between -10 and 10, not {score:g}")
        return score

    def event_type(self, name: str, node: Node) -> EventType:
        parts = self.sections(node, ("quad", "score", "definition"), ("modes",))
        modes = self.items(parts["modes"]) if "modes" in parts else []
        return EventType(
            name=name,
            quad=self.quad_name(str(self.scalar(parts["quad"], int)), parts["quad"]),
            score=self.score(parts["score"]),
            definition=str(self.scalar(parts["definition"], str)),
            modes={key: self.mode(key, value) for key, value in modes},
        )

    def mode(self, name: str, node: Node) -> Mode:
        parts = self.sections(node, ("score", "definition"))
        return Mode(name, self.score(parts["score"]), str(self.scalar(parts["definition"], str)))

    def predicate(self, name: str, node: Node, entity_types: Mapping[str, str]) -> Predicate:
        parts = self.sections(node, ("wikidata", "subject", "object", "definition"), ("symmetric",))
        return Predicate(
            name=name,
            wikidata=self.wikidata(parts["wikidata"]),
            subject=self.entity_types(parts["subject"], entity_types),
            object=self.entity_types(parts["object"], entity_types),
            symmetric=bool(self.scalar(parts["symmetric"], bool)) if "symmetric" in parts else False,
            definition=str(self.scalar(parts["definition"], str)),
        )

    def wikidata(self, node: Node) -> str | None:
        if node.value in ("null", "~", ""):
            return None
        if not WIKIDATA.fullmatch(str(node.value)):
            raise self.fail(node, f"a Wikidata property is like P39, not {node.value!r}")
        return str(node.value)

    def entity_types(self, node: Node, known: Mapping[str, str]) -> frozenset[str]:
        from yaml.nodes import SequenceNode

        if node.value == ANY:
            return frozenset(known)
        if not isinstance(node, SequenceNode):
            raise self.fail(node, f"expected a list of entity types, or {ANY}")
        for item in node.value:
            if item.value not in known:
                raise self.fail(item, f"{item.value!r} is no entity type; known: {', '.join(known)}")
        return frozenset(str(item.value) for item in node.value)
