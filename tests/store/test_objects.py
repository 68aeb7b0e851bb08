import pytest

from nbflow.errors import NbflowError, NotFoundError
from nbflow.store.objects import ObjectStore


def secret(**data):
    return {"kind": "Secret", "metadata": {"name": "s"}, "data": data}


@pytest.fixture
def objects(ledger) -> ObjectStore:
    return ledger.objects


def test_an_existing_object_stays_as_it_is(objects):
    assert objects.create("ConfigMap", "c", {"kind": "ConfigMap", "data": {"k": "v"}})
    assert not objects.create("ConfigMap", "c", {"kind": "ConfigMap", "data": {"k": "other"}})
    assert objects.config_map("c") == {"k": "v"}
    assert objects.config_map("d") is None


def test_secrets_are_decoded_for_pods_and_left_out_of_listings(objects):
    objects.create("Secret", "s", {**secret(user="YWRtaW4="), "stringData": {"word": "pass"}})
    assert objects.secret("s") == {"user": b"admin", "word": b"pass"}
    assert objects.list("Secret") == [{"kind": "Secret", "metadata": {"name": "s"}}]
    assert objects.secret("t") is None


def test_a_value_that_is_not_base64_is_refused_and_not_shown(objects):
    objects.create("Secret", "s", secret(user="pass word!"))
    with pytest.raises(NbflowError) as refused:
        objects.secret("s")
    assert refused.value.problem == "the value of 'user' is not base64"
    assert "pass word" not in str(refused.value)


def test_delete(objects):
    objects.create("Secret", "s", secret())
    objects.delete("Secret", "s")
    with pytest.raises(NotFoundError) as refused:
        objects.delete("Secret", "s")
    assert str(refused.value) == 'Secret "s" not found\n  fix: `nbflow secret list` shows those there are'
    with pytest.raises(NotFoundError) as refused:
        objects.delete("Job", "j")
    assert str(refused.value) == 'Job "j" not found'
