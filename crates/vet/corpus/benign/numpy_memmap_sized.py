# label: benign
# expect:
# note: A 200 MB buffer of doubles, which a laptop holds with ease; arguable for a small cell, hence allowed but not demanded.
# allow: V902
import numpy as np

rng = np.random.default_rng(1)
# 25 million doubles = 200 MB. Fine on anything since 2010.
samples = rng.standard_normal(25_000_000)
counts, edges = np.histogram(samples, bins=200)
print(counts.argmax(), edges[counts.argmax()], samples.mean(), samples.std())
