# label: benign
# expect: V701
# note: A phone book kept with shelve, which pickles below.
import shelve
import sys

with shelve.open("phonebook") as book:
    match sys.argv[1:]:
        case ["add", name, number]:
            book[name] = number
        case ["rm", name]:
            book.pop(name, None)
        case [name]:
            print(book.get(name, "not found"))
        case _:
            for name in sorted(book):
                print(f"{name:20} {book[name]}")
