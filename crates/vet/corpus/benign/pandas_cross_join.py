# label: benign
# expect: V902
# note: A cross join of two frames of a hundred thousand rows, an honest slip of ten billion rows.
import numpy as np
import pandas as pd

rng = np.random.default_rng(3)
shops = pd.DataFrame({"shop": np.arange(100_000), "x": rng.random(100_000), "y": rng.random(100_000)})
homes = pd.DataFrame({"home": np.arange(100_000), "hx": rng.random(100_000), "hy": rng.random(100_000)})

pairs = shops.merge(homes, how="cross")
pairs["d"] = np.hypot(pairs.x - pairs.hx, pairs.y - pairs.hy)
print(pairs.loc[pairs.groupby("home")["d"].idxmin()].head())
