"""Points on a sphere, rotated as small objects: floats, __slots__ and the math module.

Measures the making of short-lived objects that hold floats, and calls into math.

The sine of one C library may differ from another's in the last bit, so the checksum is of
rounded numbers, and each number is also compared with what geometry says it must be.
"""

import math
import zlib

POINTS = 12_000
TURNS = 76
EXPECTED = "062785a4"


class Vector:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def __mul__(self, factor):
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z

    def cross(self, other):
        return Vector(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )

    def length(self):
        return math.sqrt(self.dot(self))

    def unit(self):
        return self * (1.0 / self.length())

    def rotated(self, axis, angle):
        """Rodrigues' formula: the part along the axis stays, the rest turns round it."""
        cos, sin = math.cos(angle), math.sin(angle)
        along = axis * (axis.dot(self) * (1.0 - cos))
        return self * cos + axis.cross(self) * sin + along


def spread_points(count):
    """Points spread evenly over the unit sphere, on a spiral of golden angles."""
    golden_angle = math.pi * (3.0 - math.sqrt(5.0))
    for number in range(count):
        height = 1.0 - (2.0 * number + 1.0) / count
        radius = math.sqrt(1.0 - height * height)
        angle = golden_angle * number
        yield Vector(radius * math.cos(angle), radius * math.sin(angle), height)


def main():
    start = list(spread_points(POINTS))
    axis = Vector(1.0, 2.0, -2.0).unit()
    angle = 2.0 * math.pi / TURNS

    points = start
    longitudes = 0.0
    for _ in range(TURNS):
        points = [point.rotated(axis, angle).unit() for point in points]
        longitudes += math.fsum(abs(math.atan2(point.y, point.x)) for point in points)

    # A full turn leads back to the start.
    error = max((point - first).length() for point, first in zip(points, start))
    assert error < 1e-12, error
    # Over the sphere, |longitude| is pi/2 on average, the distance from the axis pi/4 and the
    # distance from any one point of the surface 4/3.
    longitude = longitudes / (POINTS * TURNS)
    radius = math.fsum(axis.cross(point).length() for point in points) / POINTS
    chord = math.fsum((point - axis).length() for point in points) / POINTS
    assert math.isclose(longitude, math.pi / 2, rel_tol=1e-4), longitude
    assert math.isclose(radius, math.pi / 4, rel_tol=1e-4), radius
    assert math.isclose(chord, 4 / 3, rel_tol=1e-4), chord

    result = f"{longitude:.9f} {radius:.9f} {chord:.9f}"
    checksum = f"{zlib.crc32(result.encode()):08x}"
    assert checksum == EXPECTED, (checksum, result)
    print(f"checksum {checksum}")


if __name__ == "__main__":
    main()
