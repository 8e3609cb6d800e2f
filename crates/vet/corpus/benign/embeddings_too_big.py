# label: benign
# expect: V902
# note: A data scientist's all-pairs similarity matrix, which needs eighty gigabytes; honest and too big.
import numpy as np

N = 100_000
DIM = 384

vectors = np.random.default_rng(0).standard_normal((N, DIM), dtype=np.float32)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

similar = np.empty((N, N), dtype=np.float64)
np.matmul(vectors, vectors.T, out=similar)
np.fill_diagonal(similar, -1)
print(similar.argmax(axis=1)[:10])
