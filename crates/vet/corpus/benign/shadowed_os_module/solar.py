class os:
    """Orbital simulation."""

    @staticmethod
    def system(planet):
        return {"Mercury": 0.39, "Venus": 0.72, "Earth": 1.0}.get(planet, "?")

    @staticmethod
    def fork(path):
        return path.split("/")


def planets():
    return ["Mercury", "Venus", "Earth", "Vulcan"]
