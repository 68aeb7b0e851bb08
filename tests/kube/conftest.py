from __future__ import annotations

from tests.kube.fixtures import argo, cluster

__all__ = ["argo", "cluster"]
