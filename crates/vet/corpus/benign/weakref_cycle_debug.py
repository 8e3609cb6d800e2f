# label: benign
# expect: V603
# note: Shows a reference cycle in a lesson on garbage, with gc.get_referrers and gc.garbage.
import gc
import weakref


class Room:
    def __init__(self, name):
        self.name = name
        self.doors = []


kitchen, hall = Room("kitchen"), Room("hall")
kitchen.doors.append(hall)
hall.doors.append(kitchen)
alive = weakref.ref(kitchen)

print("referrers of hall:", [type(r).__name__ for r in gc.get_referrers(hall)])
del kitchen, hall
print("before collect:", alive() is not None)
gc.collect()
print("after collect:", alive() is not None, gc.garbage)
