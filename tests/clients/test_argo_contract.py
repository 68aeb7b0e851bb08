"""The contract of clients, kept by that of a cluster: workflows of a test API really run, by nbflow's own engine."""

from __future__ import annotations

import base64
import itertools
from datetime import UTC, datetime, timedelta

import pytest

from nbflow.clients.argo import ArgoClient
from nbflow.clients.local import LocalClient
from nbflow.kube.access import Cluster
from nbflow.store import Home
from tests.artifacts.servers import s3_server
from tests.clients.conftest import end_controller
from tests.contracts.client import ClientContract
from tests.kube.api import TestApi
from tests.kube.engine import EngineController

KEYS = {f"{word}KeySecret": {"name": "cred", "key": word} for word in ("access", "secret")}


def ticking():
    """The times of creation of a server whose every object is a second younger than the one before."""
    start = datetime.now(UTC)
    return ((start + timedelta(seconds=n)).strftime("%Y-%m-%dT%H:%M:%SZ") for n in itertools.count())


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    boto3 = pytest.importorskip("boto3")
    pytest.importorskip("moto")
    folder = tmp_path_factory.mktemp("cluster")
    home = Home(folder / "home")
    with s3_server() as endpoint, TestApi().start() as api:
        times = ticking()
        api.storage.clock = lambda: next(times)
        access = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        bucket = boto3.client("s3", endpoint_url=f"http://{endpoint}", **access)
        bucket.create_bucket(Bucket="artifacts")
        repository = {"s3": {"endpoint": endpoint, "insecure": True, "bucket": "artifacts", **KEYS}}
        data = {word: base64.b64encode(word.encode()).decode() for word in ("access", "secret")}
        api.storage.create(("v1", "secrets"), "default", {"metadata": {"name": "cred"}, "data": data})
        controller = EngineController(api, LocalClient("host", home), bucket, repository)
        controller.start()
        yield ArgoClient(Cluster(kubeconfig=str(api.kubeconfig(folder / "kubeconfig"))))
        controller.end()
        bucket.close()
        end_controller(home)


class TestArgoClient(ClientContract):
    moment = 1.0

    @pytest.mark.skip("a cluster's pod waits for a Secret that is missing, and kube.trouble says so")
    def test_a_missing_secret_ends_in_error_at_once_and_is_named(self):
        pass
