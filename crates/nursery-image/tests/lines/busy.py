import threading


def one(value):  # busy
    return value + 1  # busy


def many(value):  # busy
    for _ in range(10):  # busy
        value = one(value)  # busy
    return [  # busy
        each  # busy
        for each in (one(value), value)  # busy
    ]


def spins():
    value = 0
    while True:  # busy
        found = many(value % 1000)  # busy
        value += found[0]  # busy


print("waits", threading.get_native_id(), flush=True)
spins()
