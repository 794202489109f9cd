"""Every page in Chinese; a file of its own, so that both languages are looked at side by side."""

from __future__ import annotations

import pytest
from web_addresses import ADDRESSES
from web_kit import Site
from web_looks import read_by_everybody


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_can_be_read_by_everybody(site: Site, address: str) -> None:
    read_by_everybody(site, address, "zh")
