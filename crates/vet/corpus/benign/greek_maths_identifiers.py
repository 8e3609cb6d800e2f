# label: benign
# expect:
# note: A physics script with Greek identifiers, one script per name; letters of mathematics, no look-alikes.
import math

π = math.pi
λ = 550e-9
Δx = 1.2e-4


def θ_max(m, λ, Δx):
    """Angle of the m-th maximum of a grating."""
    return math.asin(m * λ / Δx)


for m in range(4):
    print(m, f"{math.degrees(θ_max(m, λ, Δx)):.4f}°")
print(2 * π / λ)
