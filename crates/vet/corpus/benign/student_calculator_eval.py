# label: benign
# expect: V501
# note: A beginner's calculator that evals what the user typed; dangerous habit, harmless intent.
print("Welcome to my calculator!!")
print("type q to quit")

history = []
while True:
    expr = input("> ")
    if expr == "q":
        break
    try:
        result = eval(expr)
        history.append((expr, result))
        print("=", result)
    except ZeroDivisionError:
        print("you can't divide by zero :(")
    except Exception as e:
        print("error", e)

print("you did", len(history), "calculations")
