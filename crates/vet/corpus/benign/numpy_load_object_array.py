# label: benign
# expect: V701
# note: np.load with allow_pickle reads an object array; deserialisation behind a keyword argument.
import numpy as np

ragged = np.empty(3, dtype=object)
ragged[:] = [[1], [1, 2], [1, 2, 3]]
np.save("ragged.npy", ragged)

back = np.load("ragged.npy", allow_pickle=True)
print([len(r) for r in back])
print(np.load("heat.npy").mean())
