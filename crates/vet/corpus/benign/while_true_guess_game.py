# label: benign
# expect:
# note: A guessing game; the while True ends by break inside an if inside a try.
import random

secret = random.randint(1, 100)
tries = 0
while True:
    try:
        guess = int(input("number between 1 and 100: "))
    except ValueError:
        print("that is not a number")
        continue
    tries += 1
    if guess == secret:
        print("correct! you needed", tries)
        break
    print("higher" if guess < secret else "lower")
