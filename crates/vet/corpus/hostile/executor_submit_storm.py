# label: hostile
# expect: V204 V901
# note: A pool of a hundred thousand workers is fed sleepers for ever.
# allow: V203 V902
import time
from concurrent.futures import ThreadPoolExecutor

pool = ThreadPoolExecutor(max_workers=100_000)
futures = []
while True:
    futures.append(pool.submit(time.sleep, 1e9))
