# label: benign
# expect:
# note: Sorts records by attribute names of a constant list through operator.attrgetter; arguable, not demanded.
# allow: V503
from dataclasses import dataclass
from operator import attrgetter


@dataclass
class Athlete:
    name: str
    country: str
    points: int


team = [Athlete("Ana", "PT", 91), Athlete("Bo", "SE", 88), Athlete("Cy", "SE", 95)]

for key in ("country", "points"):
    team.sort(key=attrgetter(key), reverse=(key == "points"))
print(*team, sep="\n")
