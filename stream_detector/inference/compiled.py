"""Programs compiled for an accelerator: what they say of themselves, beside the artefact that they were made from.

    models/<name>/model.json            the artefact's own manifest
                  neuron-inf2/
                      programs.json     target, compiler, auto-cast, cores, and a SHA-256 for every program
                      8x128.pt          the program for 8 rows of 128 tokens, and so on

They have a manifest of their own because a model is exported once and compiled by whoever runs it, for their hardware. It names
the graph that they were made from, so that programs of an earlier export are refused instead of judging by other weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from stream_detector.batching import RunLimits, Shape
from stream_detector.errors import ArtefactError
from stream_detector.inference.artefact import GRAPH, Manifest, sha256

PROGRAMS: Final = "programs.json"

_PREFIX: Final = "neuron-"


class _CompiledModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class Bucket(_CompiledModel):
    """One program: exactly so many rows of exactly so many tokens."""

    rows: int = Field(ge=1)
    length: int = Field(ge=2)
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    sha256: str

    @property
    def shape(self) -> Shape:
        """The arrays it takes."""
        return Shape(self.rows, self.length)


class Parity(_CompiledModel):
    """How the weights compare with the artefact's own graph, before they were compiled.

    Attributes:
        windows: how many windows both read.
        largest_difference: of the probabilities that a window holds a violation.
        other_verdicts: windows on different sides of the artefact's threshold.
    """

    windows: int
    largest_difference: float
    other_verdicts: int


class Programs(_CompiledModel):
    """What a folder of programs says of itself.

    Attributes:
        target: what they run on.
        graph: SHA-256 of the model.onnx whose weights they hold.
        auto_cast, auto_cast_type: which operations were cast to which type.
        cores_each: cores that one program is spread over.
        compiler: versions of the packages that made them.
        parity: None: it was not compared.
        buckets: the programs, by rising length and rows.
    """

    format_version: int = Field(ge=1, le=1)
    target: str
    graph: str
    auto_cast: str
    auto_cast_type: str
    cores_each: int = Field(ge=1)
    compiler: Mapping[str, str] = Field(default_factory=dict)
    parity: Parity | None = None
    buckets: tuple[Bucket, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_program_a_shape(self) -> Self:
        shapes = [(bucket.length, bucket.rows) for bucket in self.buckets]
        if shapes != sorted(set(shapes)):
            raise ValueError("buckets must stand by rising length and rows, each once")
        return self

    @property
    def limits(self) -> RunLimits:
        """The shapes, as the scheduler wants them."""
        return RunLimits(shapes=tuple(bucket.shape for bucket in self.buckets))


def programs_folder(artefact: Path, target: str) -> Path:
    """Where an artefact's programs for a target stand."""
    return artefact / f"{_PREFIX}{target}"


def compiled_targets(artefact: Path) -> list[str]:
    """The targets that an artefact has programs for, sorted by name."""
    return sorted(file.parent.name.removeprefix(_PREFIX) for file in artefact.glob(f"{_PREFIX}*/{PROGRAMS}"))


def verify_programs(artefact: Path, manifest: Manifest, target: str) -> Programs:
    """Read an artefact's programs for a target, and check every file.

    Raises:
        ArtefactError: there are none, they are altered, of another export, or too short for the artefact's windows.
    """
    folder = programs_folder(artefact, target)
    again = f"compile again: stream-detector train compile-neuron {artefact} --target {target}"
    programs = _read(folder / PROGRAMS, again)
    if programs.target != target:
        raise ArtefactError(f"{folder / PROGRAMS}: target: {programs.target}, but the folder is for {target}; {again}")
    if programs.graph != manifest.files.get(GRAPH):
        raise ArtefactError(f"{folder / PROGRAMS}: graph: the programs were made from another export of the model; {again}")
    longest = programs.buckets[-1].length
    if longest < manifest.window.tokens:
        raise ArtefactError(
            f"{folder / PROGRAMS}: buckets: the longest takes {longest} tokens, but the model's windows have up to "
            f"{manifest.window.tokens}; {again}"
        )
    for bucket in programs.buckets:
        file = folder / bucket.file
        if not file.is_file():
            raise ArtefactError(f"{file}: the program for {bucket.rows} rows of {bucket.length} tokens is missing; {again}")
        if sha256(file) != bucket.sha256:
            raise ArtefactError(f"{file}: its SHA-256 is not the one in {PROGRAMS}, so it is not loaded; restore it, or {again}")
    return programs


def _read(file: Path, again: str) -> Programs:
    try:
        return Programs.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ArtefactError(f"{file}: {error.strerror}; {again}") from None
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        field = ".".join(map(str, fault["loc"])) or "not a manifest of programs"
        raise ArtefactError(f"{file}: {field}: {fault['msg']}; {again}") from None
