"""Artifacts and the places they come from and go to."""

from __future__ import annotations

from pydantic import Field

from nbflow.spec.model import KubeObject, Many, Model

LOCATIONS = ("s3", "git", "http", "artifactory", "hdfs", "raw", "oss", "gcs", "azure", "plugin")


class SecretKeyRef(Model):
    """A key of a Secret."""

    name: str = ""
    key: str = ""
    optional: bool = False


class TarStrategy(Model):
    """tar and gzip; level 0 stores, None is gzip's default."""

    compression_level: int | None = None


class ArchiveStrategy(Model):
    """How an artifact is packed; tar with gzip when nothing is said."""

    tar: TarStrategy | None = None
    none: KubeObject | None = None
    zip: KubeObject | None = None


class RawArtifact(Model):
    """Bytes written in the manifest itself."""

    data: str = ""


class HTTPHeader(Model):
    """One header of a request."""

    name: str = ""
    value: str = ""


class HTTPArtifact(Model):
    """A URL to get from or to put to."""

    url: str = ""
    headers: Many[HTTPHeader] = ()
    auth: KubeObject | None = None
    save_stream_via_file: bool = False


class GitArtifact(Model):
    """A git repository to check out."""

    repo: str = ""
    revision: str = ""
    depth: int | None = None
    fetch: Many[str] = ()
    username_secret: SecretKeyRef | None = None
    password_secret: SecretKeyRef | None = None
    ssh_private_key_secret: SecretKeyRef | None = None
    insecure_ignore_host_key: bool = False
    disable_submodules: bool = False
    single_branch: bool = False
    branch: str = ""
    insecure_skip_tls: bool = Field(default=False, alias="insecureSkipTLS")


class S3Artifact(Model):
    """An object, or a prefix of objects, in an S3 bucket. Where nbflow keeps artifacts itself, only `key` is set."""

    endpoint: str = ""
    bucket: str = ""
    region: str = ""
    insecure: bool | None = None
    access_key_secret: SecretKeyRef | None = None
    secret_key_secret: SecretKeyRef | None = None
    session_token_secret: SecretKeyRef | None = None
    role_arn: str = Field(default="", alias="roleARN")
    use_sdk_creds: bool = Field(default=False, alias="useSDKCreds")
    create_bucket_if_not_present: KubeObject | None = None
    encryption_options: KubeObject | None = None
    ca_secret: SecretKeyRef | None = None
    addressing_style: str = ""
    key: str = ""


class ArtifactLocation(Model):
    """Where an artifact lives; at most one place is set. The rarely used places stay untouched mappings."""

    archive_logs: bool | None = None
    s3: S3Artifact | None = None
    git: GitArtifact | None = None
    http: HTTPArtifact | None = None
    raw: RawArtifact | None = None
    artifactory: KubeObject | None = None
    hdfs: KubeObject | None = None
    oss: KubeObject | None = None
    gcs: KubeObject | None = None
    azure: KubeObject | None = None
    plugin: KubeObject | None = None

    def location(self) -> str:
        """The name of the place that is set, "" if none."""
        return next((place for place in LOCATIONS if getattr(self, place) is not None), "")


class Artifact(ArtifactLocation):
    """A file or folder. path: where it is in the container. from_: `{{tag}}` of another artifact.

    mode: permission bits (0o755 is written 0755 or 493 in YAML).
    """

    name: str = ""
    path: str = ""
    mode: int | None = None
    from_: str = Field(default="", alias="from")
    global_name: str = ""
    archive: ArchiveStrategy | None = None
    optional: bool = False
    sub_path: str = ""
    recurse_mode: bool = False
    from_expression: str = ""
    artifact_gc: KubeObject | None = Field(default=None, alias="artifactGC")
    deleted: bool = False
