"""Draws the Mandelbrot set in ASCII."""

WIDTH, HEIGHT = 78, 30
LEFT, RIGHT = -2.1, 0.7
TOP, BOTTOM = 1.2, -1.2
STEPS = 200
# From points that escape at once to points that never do.
SHADES = " .:-=+*%@"


def steps_to_escape(point):
    """How often z -> z*z + point can be applied before z is far away; at most STEPS."""
    z = 0
    for step in range(STEPS):
        if abs(z) > 2:
            return step
        z = z * z + point
    return STEPS


def shade(steps):
    # Each shade stands for twice as many steps as the one before.
    return SHADES[-1] if steps == STEPS else SHADES[steps.bit_length() - 1]


for row in range(HEIGHT):
    y = TOP + (BOTTOM - TOP) * row / (HEIGHT - 1)
    xs = (LEFT + (RIGHT - LEFT) * column / (WIDTH - 1) for column in range(WIDTH))
    print("".join(shade(steps_to_escape(complex(x, y))) for x in xs).rstrip(), flush=True)
