"""What well-known images would run when a template gives no command.

No image is ever pulled here: a pod runs the machine's own programs. `images.yaml` in the home adds to the table:

    myorg/tool:
      command: [tool]      # the image's entrypoint
      args: [--help]       # what it runs with when the template gives no arguments
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbflow.errors import NbflowError
from nbflow.runtimes.runtime import PodRejected

SETTINGS = "images.yaml"


@dataclass(frozen=True, slots=True)
class Image:
    """entrypoint: goes before the arguments of a template; args: used when it gives none.

    unless_program: the entrypoint steps aside when the first argument is a program's name, as many images do it.
    program: a program that means the entrypoint, also when it is named as a template's command.
    """

    entrypoint: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    unless_program: bool = False
    program: str = ""


def _program(name: str, *args: str) -> Image:
    return Image((name,), args)


def _plain(*args: str) -> Image:
    return Image((), args)


KNOWN: Mapping[str, Image] = {
    "alpine": _plain("sh"),
    "alpine/git": _program("git", "--help"),
    "amazon/aws-cli": _program("aws"),
    "amazonlinux": _plain("bash"),
    "appropriate/curl": _program("curl"),
    "argoproj/argosay": Image(("argosay",), program="/argosay"),
    "bash": Image(("bash",), (), unless_program=True),
    "bitnami/kubectl": _program("kubectl", "--help"),
    "busybox": _plain("sh"),
    "centos": _plain("bash"),
    "continuumio/miniconda3": _plain("bash"),
    "curlimages/curl": Image(("curl",), ("--help",), unless_program=True),
    "debian": _plain("bash"),
    "docker/whalesay": _plain("bash"),
    "fedora": _plain("bash"),
    "golang": _plain("bash"),
    "hashicorp/terraform": _program("terraform"),
    "influxdb": Image(("run-influxdb",), program="influxd"),
    "jupyter/base-notebook": _plain("bash"),
    "jupyter/scipy-notebook": _plain("bash"),
    "mikefarah/yq": _program("yq"),
    "nginx": Image(("run-nginx",), program="nginx"),
    "node": Image(("node",), (), unless_program=True),
    "perl": _plain("perl", "-de0"),
    "postgres": Image(("postgres",), (), unless_program=True),
    "python": _plain("python3"),
    "pytorch/pytorch": _plain("bash"),
    "r-base": _plain("R", "--no-save"),
    "redis": Image(("redis-server",), (), unless_program=True),
    "rocker/r-ver": _plain("R", "--no-save"),
    "ruby": _plain("irb"),
    "stedolan/jq": _program("jq"),
    "tensorflow/tensorflow": _plain("bash"),
    "ubuntu": _plain("bash"),
}
_REGISTRIES = (
    "docker.io/",
    "index.docker.io/",
    "mirror.gcr.io/",
    "public.ecr.aws/docker/",
    "registry.hub.docker.com/",
)


def command_line(
    image: str, command: Sequence[str], args: Sequence[str], known: Mapping[str, Image], script: bool = False
) -> tuple[str, ...]:
    """What a container runs: its command, or what its image stands for.

    script: the last argument is the path of a script. Raises PodRejected, naming the image, if nobody knows.
    """
    found = known.get(repository(image))
    if command:
        stands_for = found is not None and found.program and command[0] == found.program
        return (*(found.entrypoint if found and stands_for else command[:1]), *command[1:], *args)
    if found is None:
        raise PodRejected(
            f"nobody knows what image {image!r} runs"
            if image
            else "the container has neither an image nor a command",
            fix=f"give the container a `command:`, add {repository(image) or 'the image'} to {SETTINGS} in "
            "NBFLOW_HOME, or use a runtime for containers (--on podman, --on docker)",
        )
    words = tuple(args)
    if not words:
        line = (*found.entrypoint, *found.args)
    elif found.entrypoint and found.unless_program and _is_program(words[0]) and not script:
        line = words
    else:
        line = (*found.entrypoint, *words)
    if not line:
        raise PodRejected(f"image {image!r} runs nothing without arguments", fix="give the container `args:`")
    return line


def repository(image: str) -> str:
    """The name of an image without registry (Docker's own), tag and digest."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    name = f"{folder}{slash}{last.partition(':')[0]}"
    for registry in _REGISTRIES:
        name = name.removeprefix(registry)
    return name.removeprefix("library/")


def known_images(home: Path) -> Mapping[str, Image]:
    """The table with what the user added. Raises NbflowError if the settings cannot be read."""
    try:
        text = (home / SETTINGS).read_text(encoding="utf-8")
    except FileNotFoundError:
        return KNOWN
    return {**KNOWN, **_read(text, home / SETTINGS)}


def _read(text: str, file: Path) -> dict[str, Image]:
    import yaml

    fix = "write IMAGE: {command: [...], args: [...]}"
    try:
        data = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise NbflowError(f"the table of images cannot be read: {error}", where=str(file), fix=fix) from error
    if not isinstance(data, Mapping) or not all(isinstance(entry, Mapping) for entry in data.values()):
        raise NbflowError("the table of images is no mapping of images", where=str(file), fix=fix)
    return {
        repository(str(name)): Image(_words(entry.get("command")), _words(entry.get("args")))
        for name, entry in data.items()
    }


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(str(word) for word in value)
    return () if value is None else (str(value),)


def _is_program(word: str) -> bool:
    return (
        not word.startswith("-")
        and ("/" not in word or word.startswith("/"))
        and "." not in word
        and ":" not in word
    )
