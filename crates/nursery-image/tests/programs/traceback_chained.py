class Wrong(Exception):
    """Ours."""


def run():
    try:
        {}["ä"]
    except KeyError as error:
        raise Wrong("a", "b") from error


try:
    run()
except Wrong:
    raise ValueError("again\nand again")
