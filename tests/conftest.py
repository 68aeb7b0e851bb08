"""What tests of all packages share: golden files, and interrupts that arrive."""

import signal

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # what is slow here may be the machine
settings.load_profile("patient")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts its background jobs so, and what a test starts would never hear an interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption("--rewrite-goldens", action="store_true", help="write what is now into the golden files")


@pytest.fixture
def golden(request):
    """Compares a text with the file golden/NAME beside the test; `--rewrite-goldens` writes it instead."""

    def check(name: str, text: str) -> None:
        path = request.path.parent / "golden" / name
        if request.config.getoption("--rewrite-goldens"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text

    return check
