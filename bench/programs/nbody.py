"""Planetary simulation: the Sun and its giant planets, moved by leapfrog steps.

Measures float arithmetic and attribute access in one tight loop. Lengths are in
astronomical units, times in years and masses in suns, so that G is 4 pi squared.

Only + - * / and sqrt touch the state. IEEE 754 rounds these in one way, so the result
is the same to the last bit on every machine and the checksum can be exact.
"""

import itertools
import math
import zlib

GRAVITY = 4.0 * math.pi * math.pi
STEP_YEARS = 0.01
STEPS = 570_000
EXPECTED = "099188ce"

# Mass, semi-major axis, eccentricity; then perihelion and tilt, each as the tangent of
# half the angle, which makes a point on the circle without a call to sin or cos.
PLANETS = {
    "Jupiter": (1 / 1047.35, 5.203, 0.0489, 0.12, 0.011),
    "Saturn": (1 / 3497.9, 9.537, 0.0565, 1.09, 0.022),
    "Uranus": (1 / 22903.0, 19.19, 0.0472, -8.1, 0.007),
    "Neptune": (1 / 19412.0, 30.07, 0.0086, 0.41, 0.015),
}


class Body:
    __slots__ = ("mass", "x", "y", "z", "vx", "vy", "vz")

    def __init__(self, mass, position=(0.0, 0.0, 0.0), velocity=(0.0, 0.0, 0.0)):
        self.mass = mass
        self.x, self.y, self.z = position
        self.vx, self.vy, self.vz = velocity


def circle_point(half_tangent):
    square = half_tangent * half_tangent
    return (1.0 - square) / (1.0 + square), 2.0 * half_tangent / (1.0 + square)


def planet_at_perihelion(mass, axis, eccentricity, perihelion, tilt):
    cos, sin = circle_point(perihelion)
    tilt_cos, tilt_sin = circle_point(tilt)
    distance = axis * (1.0 - eccentricity)
    speed = math.sqrt(GRAVITY * (1.0 + mass) * (1.0 + eccentricity) / distance)
    return Body(
        mass,
        (distance * cos, distance * sin * tilt_cos, distance * sin * tilt_sin),
        (-speed * sin, speed * cos * tilt_cos, speed * cos * tilt_sin),
    )


def solar_system():
    planets = [planet_at_perihelion(*elements) for elements in PLANETS.values()]
    # The Sun takes up the planets' momentum, so that the system as a whole rests.
    recoil = [-component for component in momentum(planets)]
    return [Body(1.0, velocity=recoil)] + planets


def momentum(bodies):
    # sum() would not do: since Python 3.12 it rounds floats in another way.
    return (
        math.fsum(body.mass * body.vx for body in bodies),
        math.fsum(body.mass * body.vy for body in bodies),
        math.fsum(body.mass * body.vz for body in bodies),
    )


def energy(bodies):
    kinetic = math.fsum(
        0.5 * body.mass * (body.vx * body.vx + body.vy * body.vy + body.vz * body.vz)
        for body in bodies
    )
    potential = math.fsum(
        -GRAVITY * a.mass * b.mass / math.dist((a.x, a.y, a.z), (b.x, b.y, b.z))
        for a, b in itertools.combinations(bodies, 2)
    )
    return kinetic + potential


def spin(bodies):
    """The angular momentum about the z axis."""
    return math.fsum(body.mass * (body.x * body.vy - body.y * body.vx) for body in bodies)


def drift(bodies, time):
    for body in bodies:
        body.x += time * body.vx
        body.y += time * body.vy
        body.z += time * body.vz


def kick(pairs, time):
    strength = GRAVITY * time
    for a, b in pairs:
        dx = b.x - a.x
        dy = b.y - a.y
        dz = b.z - a.z
        square = dx * dx + dy * dy + dz * dz
        pull = strength / (square * math.sqrt(square))
        pull_a = pull * b.mass
        pull_b = pull * a.mass
        a.vx += dx * pull_a
        a.vy += dy * pull_a
        a.vz += dz * pull_a
        b.vx -= dx * pull_b
        b.vy -= dy * pull_b
        b.vz -= dz * pull_b


def simulate(bodies, steps, time):
    pairs = list(itertools.combinations(bodies, 2))
    drift(bodies, time / 2)
    for _ in range(steps):
        kick(pairs, time)
        drift(bodies, time)
    drift(bodies, -time / 2)


def main():
    bodies = solar_system()
    energy_before, spin_before = energy(bodies), spin(bodies)
    simulate(bodies, STEPS, STEP_YEARS)

    assert math.isclose(energy(bodies), energy_before, rel_tol=1e-6), "energy was lost"
    assert math.isclose(spin(bodies), spin_before, rel_tol=1e-10), "spin was lost"
    assert max(map(abs, momentum(bodies))) < 1e-12, "the system drifted away"

    state = " ".join(value.hex() for body in bodies for value in (body.x, body.y, body.z))
    checksum = f"{zlib.crc32(state.encode()):08x}"
    assert checksum == EXPECTED, checksum
    print(f"checksum {checksum}")


if __name__ == "__main__":
    main()
