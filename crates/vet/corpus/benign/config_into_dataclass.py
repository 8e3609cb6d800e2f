# label: benign
# expect: V503
# note: Fills a dataclass from JSON by setattr and getattr with the fields' names.
import dataclasses
import json
import sys


@dataclasses.dataclass
class Options:
    width: int = 80
    colour: bool = True
    title: str = ""

    def update(self, mapping):
        for field in dataclasses.fields(self):
            if field.name in mapping:
                kind = type(getattr(self, field.name))
                setattr(self, field.name, kind(mapping[field.name]))
        return self


o = Options().update(json.load(sys.stdin))
print(dataclasses.asdict(o))
