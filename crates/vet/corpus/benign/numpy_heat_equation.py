# label: benign
# expect:
# note: A finite-difference simulation over a 512 by 512 grid; the arrays are large in words, small in bytes.
# coding: utf-8
import numpy as np

N = 512
STEPS = 2000
alpha = 0.1

u = np.zeros((N, N))
u[N // 4 : 3 * N // 4, N // 4 : 3 * N // 4] = 100.0

for step in range(STEPS):
    lap = (
        np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4 * u
    )
    u = u + alpha * lap
    u[0, :] = u[-1, :] = u[:, 0] = u[:, -1] = 0.0
    if step % 500 == 0:
        print(step, u.mean(), u.max())

np.save("heat.npy", u)
