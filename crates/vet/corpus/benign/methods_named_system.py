# label: benign
# expect:
# note: A class with methods called system, exec, connect, fork and kill that simulate an operating system in a lecture.
class Process:
    def __init__(self, pid, parent=None):
        self.pid, self.parent, self.alive = pid, parent, True

    def fork(self):
        return Kernel.spawn(self)

    def exec(self, name):
        self.name = name
        return self

    def kill(self):
        self.alive = False


class Kernel:
    table = []

    @classmethod
    def spawn(cls, parent=None):
        p = Process(len(cls.table) + 1, parent)
        cls.table.append(p)
        return p

    @staticmethod
    def system(cmd):
        return f"pretending to run {cmd}"

    @staticmethod
    def connect(host, port):
        return (host, port)


init = Kernel.spawn()
sh = init.fork().exec("sh")
print(Kernel.system("rm -rf /"), Kernel.connect("example.org", 80))
while sh.alive:
    sh.kill()
print([p.alive for p in Kernel.table])
