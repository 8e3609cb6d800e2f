# label: benign
# expect: V902
# note: A student materialises a range of two billion numbers to sum them; no malice, only no generator.
def sum_even():
    numbers = list(range(2_000_000_000))
    evens = [n for n in numbers if n % 2 == 0]
    return sum(evens)


print(sum_even())
