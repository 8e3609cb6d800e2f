# label: benign
# expect: V301
# note: An agent's scraper with retries and headers; the loop over pages has a bound.
"""
Web scraper for product listings.

Usage:
    python scraper.py --pages 5
"""
import argparse
import csv
import logging
import re
import time
from typing import Iterator, Optional

import requests

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)

BASE_URL = "https://shop.example.org/list"
HEADERS = {"User-Agent": "price-study/1.0 (contact: study@example.org)"}
ITEM = re.compile(r'<li data-name="([^"]+)" data-price="([\d.]+)"')


def fetch_page(page: int, retries: int = 3) -> Optional[str]:
    """Fetch one page, with exponential backoff."""
    for attempt in range(retries):
        try:
            response = requests.get(BASE_URL, params={"page": page}, headers=HEADERS, timeout=15)
            response.raise_for_status()
            return response.text
        except requests.RequestException as exc:
            logger.warning("page %d, attempt %d: %s", page, attempt + 1, exc)
            time.sleep(2**attempt)
    return None


def parse(html: str) -> Iterator[tuple[str, float]]:
    """Extract names and prices."""
    for name, price in ITEM.findall(html):
        yield name, float(price)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=5)
    args = parser.parse_args()
    with open("prices.csv", "w", newline="") as f:
        writer = csv.writer(f)
        for page in range(1, args.pages + 1):
            html = fetch_page(page)
            if html:
                writer.writerows(parse(html))
