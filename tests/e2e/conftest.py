"""The end-to-end tests: the command, the daemon, nginx with the module, and the example application,
as a build folder has them. TENANTRY_BUILD (or --build) names the folder; by default it is build/."""

import contextlib
import itertools
import os
import pathlib
import signal

import pytest

from support.system import System

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST_TIMEOUT_S = 90  # no test needs half of it

_numbers = itertools.count(1)
_systems = []  # the living ones, for the report of a failure


def pytest_addoption(parser):
    parser.addoption("--build", help="build folder (default: $TENANTRY_BUILD, else build/)")
    parser.addoption(
        "--chaos-seed", type=int, help="repeat the random choices of a failed chaos test"
    )
    parser.addoption(
        "--screenshots", help="folder where the browser's tests leave their screenshots"
    )


@pytest.fixture(scope="session")
def build(request):
    folder = (
        request.config.getoption("--build") or os.environ.get("TENANTRY_BUILD") or ROOT / "build"
    )
    folder = pathlib.Path(folder).resolve()
    for part in ("tenantry", "ngx_http_tenantry_module.so"):
        if not (folder / part).exists():
            pytest.exit(f"{folder} has no {part}: build it first (make build)", returncode=2)
    return folder


@contextlib.contextmanager
def _running(build, **options):
    system = System(build, **options)
    _systems.append(system)
    try:
        yield system
        system.close()
    finally:
        _systems.remove(system)
        with contextlib.suppress(AssertionError):  # a failure above is the one to report
            system.close()


@pytest.fixture(scope="module")
def system(build):
    """One running system, shared by a module's tests: they leave demo, entreprise1 and entreprise2
    as they are."""
    with _running(build) as running:
        yield running.start()


@pytest.fixture
def own_system(build):
    """A running system that a test may break."""
    with _running(build) as running:
        yield running.start()


@pytest.fixture
def new_system(build):
    """Makes systems that are not started yet; all of them are closed at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(_running(build, **options))


@pytest.fixture
def make_tenant(system, request):
    """Creates a tenant of this test's own and gives its slug."""

    def make(**values):
        stem = request.node.originalname.removeprefix("test_").replace("_", "-")[:40].strip("-")
        slug = f"{stem}-{next(_numbers)}"
        answer = system.api(
            "POST", "/v1/tenants", {"slug": slug, "name": f"Tenant {slug}", **values}
        )
        assert answer.status == 201, answer
        return slug

    return make


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    def expire(number, frame):
        raise TimeoutError(f"the test took longer than {TEST_TIMEOUT_S} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.alarm(TEST_TIMEOUT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for system in _systems:
            report.sections.append((f"logs of the system on port {system.port}", system.logs()))
