# label: benign
# expect:
# note: Dispatch through a dictionary of functions by the user's word; computed lookup in an own table is not a dynamic attribute.
import math
import operator

OPS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "pow": operator.pow,
    "hypot": math.hypot,
}


def rpn(text):
    stack = []
    for word in text.split():
        if word in OPS:
            b, a = stack.pop(), stack.pop()
            stack.append(OPS[word](a, b))
        else:
            stack.append(float(word))
    return stack.pop()


print(rpn("3 4 hypot 2 *"), rpn("2 10 pow 24 -"))
