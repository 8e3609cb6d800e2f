# label: benign
# expect: V601
# note: A dataclass hierarchy that finds its own children by __subclasses__; the classic false alarm of introspection rules.
from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Shape:
    kind = "?"

    @classmethod
    def from_dict(cls, d: dict) -> "Shape":
        kind = d.pop("kind")
        for sub in cls.__subclasses__():
            if sub.kind == kind:
                return sub(**d)
        raise KeyError(kind)


@dataclass
class Circle(Shape):
    r: float
    kind = "circle"

    def area(self):
        return math.pi * self.r**2


@dataclass
class Rect(Shape):
    w: float
    h: float
    kind = "rect"

    def area(self):
        return self.w * self.h


docs = [{"kind": "circle", "r": 2.0}, {"kind": "rect", "w": 3.0, "h": 4.5}]
print(sum(Shape.from_dict(dict(d)).area() for d in docs))
