"""One Chromium for all tests of pages; without one they are skipped, or fail where CI requires it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers import browser
from tests.helpers.browser import Viewer


# Of the package, not of the session: playwright's driver keeps an event loop in this thread, in which notebooks and
# asyncio.run could not start theirs afterwards.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """The browser. CUESENSE_REQUIRE_CHROMIUM=1 makes its absence a failure."""
    if why := browser.missing():
        if browser.is_required():
            pytest.fail(f"{why} ({browser.REQUIRE}=1 requires it.)")
        pytest.skip(why)
    with browser.chromium() as found:
        yield found


@pytest.fixture
def viewer(chromium: Any) -> Iterator[Viewer]:
    """Opens pages, and fails the test where one wrote an error or asked the network for something."""
    found = Viewer(chromium)
    yield found
    found.close()
    assert found.problems == []
