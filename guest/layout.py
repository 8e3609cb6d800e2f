"""Prints where this interpreter keeps what tells at which line a thread is: `key<TAB>value`, one per line.

Runs outside any cell, on the host, once for each interpreter; the answer is kept. The supervisor then reads the
memory of a program in a cell by it, from outside.

Nothing here is a table of versions. Threads of known stacks are parked, and what is known of them (addresses of
objects, of thread states, numbers) is looked for in this process's own memory, as it would be read from outside.
What is found is tried on stacks that it was not found by, and compared with what the interpreter says itself.
Whatever is not found, or is ambiguous in a way that shows, ends with a reason on standard error and no answer.
"""

import os
import struct
import sys
import threading
import time
import types

# How far into each structure is looked, in bytes.
RUNTIME = INTERPRETER = 1 << 16
STATE = 1 << 11
THREAD = 1 << 12
FRAME = 1 << 8
CODE = 1 << 9
HEAD = 1 << 7

# Objects lie at multiples of 8 or 16; newer interpreters keep notes in the bits below (3.14, `_PyStackRef`).
TAGS = 7


class Unknown(Exception):
    """Why there is no answer."""


class Memory:
    """This process's memory, as another process would read it: a wrong address is no crash."""

    def __init__(self):
        self.file = os.open("/proc/self/mem", os.O_RDONLY | os.O_CLOEXEC)

    def read(self, address, size):
        """What is there; less of it, where less is mapped."""
        if not 0 < address < 1 << 62:
            return b""
        try:
            return os.pread(self.file, size, address)
        except OSError:
            return b""

    def words(self, address, size):
        """It as pointers."""
        data = self.read(address, size)
        return struct.unpack(f"{len(data) // 8}Q", data[: len(data) // 8 * 8])

    def word(self, address):
        """One of them; 0 where there is nothing."""
        return (self.words(address, 8) or (0,))[0]

    def numbers(self, address, size):
        """It as numbers of 32 bits."""
        data = self.read(address, size)
        return struct.unpack(f"{len(data) // 4}i", data[: len(data) // 4 * 4])


def only(what, found):
    """The first of the offsets that fit everything known; those after it are copies."""
    if not found:
        raise Unknown(f"{what} was not found")
    return min(found)


def common(places):
    """The offsets at which, in each (values, wanted), the wanted value is."""
    sets = [{at for at, value in enumerate(values) if value == wanted} for values, wanted in places]
    return set.intersection(*sets)


# Stacks to look for and to try by. Calls of Python by Python, through C, in a generator and in a class, at lines
# that are apart, some of them in expressions of several lines.


def park(told, gate):
    """The innermost frame: tells where it is, and waits."""
    told()
    gate.acquire()


def stack_short(told, gate):
    """Python by Python alone."""

    def inner(told, gate):
        unused = [gate, told]
        del unused
        return park(
            told,
            gate,
        )

    def middle(told, gate):
        if told is None:
            return None
        return (
            inner(told, gate)

            or None
        )

    for _ in range(1):
        middle(told, gate)


def stack_mixed(told, gate):
    """Through C, a comprehension, a generator and the body of a class."""

    def yielding():
        text = "%r" % (gate,)
        yield text
        yield park(told, gate)

    def keyed(value):
        for _ in yielding():
            value += 1
        return value

    def sorting():
        return sorted([1], key=keyed)

    class Body:
        """Has a name and a qualified name."""

        def method(self):
            """A frame whose names differ."""
            return [
                each
                for each in [sorting(), self]
            ]

        result = method(None)

    return Body


class Parked:
    """A thread that waits at a known place."""

    def __init__(self, stack, state_of):
        self.gate = threading.Lock()
        self.gate.acquire()
        self.state = self.ident = self.native = None
        told = threading.Event()

        def tell():
            self.state, self.ident, self.native = state_of(), threading.get_ident(), threading.get_native_id()
            told.set()

        self.thread = threading.Thread(target=stack, args=(tell, self.gate), daemon=True)
        self.thread.start()
        if not told.wait(10):
            raise Unknown("a thread did not start")

    def frames(self):
        """What the interpreter says of its stack, innermost first: frame, code, instruction, line."""
        frame = sys._current_frames()[self.ident]
        found = []
        while frame is not None:
            found.append((frame, frame.f_code, frame.f_lasti, frame.f_lineno))
            frame = frame.f_back
        return found

    def leave(self):
        """Ends it."""
        self.gate.release()
        self.thread.join(10)


def anchor(address):
    """The file that `address` was loaded from, and where it is first mapped to be executed: what addresses of the
    interpreter's own are counted from."""
    with open("/proc/self/maps") as maps:
        lines = [line.split() for line in maps]
    spans = [[int(end, 16) for end in line[0].split("-")] for line in lines]
    file = next((line[3:5] for line, (start, end) in zip(lines, spans) if start <= address < end), ["0", "0"])
    if file[1] == "0":
        raise Unknown("the interpreter's code is of no file")
    start = min(start for line, (start, _) in zip(lines, spans) if line[3:5] == file and "x" in line[1])
    return " ".join(file), start


class Search:
    """What is found, by name."""

    def __init__(self, memory, ctypes):
        self.memory, self.found, self.ctypes = memory, {}, ctypes
        api = ctypes.pythonapi
        try:
            self.runtime = ctypes.addressof(ctypes.c_char.in_dll(api, "_PyRuntime"))
            self.state_of, interpreter_of = api.PyThreadState_Get, api.PyInterpreterState_Get
        except (ValueError, AttributeError) as error:
            raise Unknown(f"the interpreter shows no such symbol: {error}") from error
        self.state_of.restype = interpreter_of.restype = ctypes.c_void_p
        self.interpreter = interpreter_of()
        entry = ctypes.cast(self.state_of, ctypes.c_void_p).value
        self.found["file"], self.base = anchor(entry)

    def keep(self, name, value):
        """Says a place by its name."""
        self.found[name] = value

    def at_most(self, name, address):
        """Keeps a place of the interpreter's own, which moves with it."""
        if abs(address - self.base) >= 1 << 31:
            raise Unknown(f"{name} lies elsewhere")
        self.keep(name, address - self.base)

    def interpreters(self):
        """The list of interpreters, from the runtime."""
        self.at_most("runtime", self.runtime)
        words = self.memory.words(self.runtime, RUNTIME)
        head = only("the list of interpreters", common([(words, self.interpreter)])) * 8
        self.keep("runtime.interpreters", head)
        # With one interpreter nothing tells how a list goes on; where there can be no other, it does not.
        try:
            try:
                import _interpreters as interpreters
            except ImportError:
                import _xxsubinterpreters as interpreters
            other = interpreters.create()
        except Exception:
            return
        try:
            newest = self.memory.word(self.runtime + head)
            if newest == self.interpreter:
                raise Unknown("the list of interpreters does not grow")
            places = [
                (self.memory.words(newest, INTERPRETER), self.interpreter),
                (self.memory.words(self.interpreter, INTERPRETER), 0),
            ]
            self.keep("interpreter.next", only("the next interpreter", common(places)) * 8)
        finally:
            interpreters.destroy(other)

    def states(self, parked):
        """The list of thread states, and how a thread is told by the kernel's number of it."""
        memory = self.memory
        main = (self.state_of(), threading.get_ident(), threading.get_native_id())
        threads = [main] + [(one.state, one.ident, one.native) for one in parked]
        newest = threads[-1][0]
        interpreter = memory.words(self.interpreter, INTERPRETER)
        self.keep("interpreter.states", only("the list of threads", common([(interpreter, newest)])) * 8)
        # Each knows the one that was made before it.
        before = [0] + [state for state, _, _ in threads]
        places = [(memory.words(state, STATE), older) for (state, _, _), older in zip(threads, before)]
        self.keep("state.next", only("the next thread", common(places)) * 8)
        places = [(memory.words(state, STATE), ident) for state, ident, _ in threads]
        self.keep("state.thread", only("a thread's identity", common(places)) * 8)
        # The C library's own: it is right in a child of fork as well, which the interpreter's is not everywhere.
        places = [(memory.numbers(ident, THREAD), native) for _, ident, native in threads]
        self.keep("thread.number", only("a thread's number", common(places)) * 4)

    def tops(self, state):
        """What may be the innermost frame of a thread, each with the offsets that lead to it."""
        for first, value in enumerate(self.memory.words(state, STATE)):
            if value:
                yield (first * 8,), value
                for second, inner in enumerate(self.memory.words(value, 64)):
                    if inner and inner != value:
                        yield (first * 8, second * 8), inner

    def links(self, thread):
        """The ways to its innermost frames: offsets to the first, to a frame's code, to the frame before."""
        truth = [id(code) for _, code, _, _ in thread.frames()[:3]]
        seen = {}

        def frame(address):
            if address not in seen:
                seen[address] = self.memory.words(address, FRAME)
            return seen[address]

        for path, top in self.tops(thread.state):
            for code, value in enumerate(frame(top)):
                if value & ~TAGS != truth[0]:
                    continue
                for before, value in enumerate(frame(top)):
                    chain = [top, value]
                    if value and len(frame(value)) > before:
                        chain.append(frame(value)[before])
                    codes = [frame(each)[code] & ~TAGS for each in chain if len(frame(each)) > code]
                    if codes == truth:
                        yield path, code * 8, before * 8

    def frames(self, parked):
        """From a thread to its frames, and from a frame to its code."""
        path, code, before = only("a thread's frame", set.intersection(*(set(self.links(one)) for one in parked)))
        self.keep("state.frame", path[0])
        if len(path) > 1:
            self.keep("state.frame.inner", path[1])
        self.keep("frame.code", code)
        self.keep("frame.before", before)

    def heads(self, code):
        """What an object begins with, by objects of the kinds that are read."""
        texts = ["ascii" * 3, "latin-\xe9\xff" * 3, "\u0142\u20ac" * 5, "\U0001f40d\u0142" * 4]
        texts += [sys.intern("interned_ascii"), sys.intern("interned_\xe9"), "".join(["made", "_now"] * 3)]
        objects = [b"some bytes", bytes(range(40)), code, *texts]
        places = [(self.memory.words(id(each), 64), id(type(each))) for each in objects]
        self.keep("object.type", only("an object's type", common(places)) * 8)
        for name, kind in (("code.type", types.CodeType), ("text.type", str), ("bytes.type", bytes)):
            self.at_most(name, id(kind))
        self.bytes_head(objects[:2])
        self.text_head(texts)

    def bytes_head(self, objects):
        """Length and beginning of a `bytes`."""
        places = [(self.memory.words(id(each), 64), len(each)) for each in objects]
        self.keep("bytes.length", only("the length of bytes", common(places)) * 8)
        data = {self.memory.read(id(each), HEAD).find(each) for each in objects}
        if len(data) != 1 or -1 in data:
            raise Unknown("the contents of bytes were not found")
        self.keep("bytes.data", data.pop())

    def text_head(self, texts):
        """Length, width and beginning of a `str`."""
        memory = self.memory
        places = [(memory.words(id(each), 64), len(each)) for each in texts]
        self.keep("text.length", only("the length of a text", common(places)) * 8)
        widths = [1 if max(each) < "\u0100" else 2 if max(each) < "\U00010000" else 4 for each in texts]
        coding = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}
        data = {True: set(), False: set()}
        for each, width in zip(texts, widths):
            data[each.isascii()].add(memory.read(id(each), 256).find(each.encode(coding[width])))
        for name, ascii in (("text.data.ascii", True), ("text.data", False)):
            if len(data[ascii]) != 1 or -1 in data[ascii]:
                raise Unknown("the contents of a text were not found")
            self.keep(name, data[ascii].pop())
        # Width and whether it is ASCII are bits of one number.
        heads = [memory.numbers(id(each), 64) for each in texts]
        for at in range(16):
            bits = [head[at] & 0xFFFFFFFF for head in heads]
            width = [s for s in range(30) if all(b >> s & 7 == w for b, w in zip(bits, widths))]
            ascii = [s for s in range(32) if all(b >> s & 1 == t.isascii() for b, t in zip(bits, texts))]
            if width and ascii:
                self.keep("text.state", at * 4)
                self.keep("text.state.width", width[0])
                self.keep("text.state.ascii", ascii[0])
                return
        raise Unknown("the width of a text was not found")

    def code(self, codes):
        """Names and lines of a code object."""
        table = "co_linetable" if hasattr(codes[0], "co_linetable") else "co_lnotab"
        wanted = {"code.file": "co_filename", "code.name": "co_name", "code.lines": table}
        if hasattr(codes[0], "co_qualname"):
            wanted["code.name"] = "co_qualname"
        for name, field in wanted.items():
            places = [(self.memory.words(id(each), CODE), id(getattr(each, field))) for each in codes]
            self.keep(name, only(name, common(places)) * 8)
        places = [(self.memory.numbers(id(each), CODE), each.co_firstlineno) for each in codes]
        self.keep("code.line", only("a function's line", common(places)) * 4)

    def instruction(self, stacks):
        """How a frame tells its instruction: by a pointer into its code, or by a number, of bytes or of pairs."""
        found = self.found
        pointers, numbers, truth = [], [], []
        for thread, frames in stacks:
            for address, (_, code, instruction, _) in zip(self.walk(thread.state), frames):
                pointers.append([word - id(code) - instruction for word in self.memory.words(address, FRAME)])
                numbers.append(self.memory.numbers(address, FRAME))
                truth.append(instruction)
        for at, distances in enumerate(zip(*pointers)):
            if len(set(distances)) == 1 and 0 < distances[0] < CODE:
                found["frame.pointer"], found["code.start"] = at * 8, distances[0]
                return
        for scale in (1, 2):
            for at, values in enumerate(zip(*numbers)):
                if [value * scale for value in values] == truth:
                    found["frame.number"], found["frame.number.scale"] = at * 4, scale
                    return
        raise Unknown("a frame's instruction was not found")

    # The same walk that the supervisor does.

    def walk(self, state):
        """The frames of a thread, innermost first, without those that hold no code."""
        found, word = self.found, self.memory.word
        frame = word(state + found["state.frame"])
        if "state.frame.inner" in found:
            frame = word(frame + found["state.frame.inner"])
        for _ in range(100):
            if not frame:
                return
            code = word(frame + found["frame.code"]) & ~TAGS
            # 3.12 gives what stands for a call from C a code of its own; 3.13 gives it none.
            if self.is_code(code) and self.text(word(code + found["code.file"])) != "<shim>":
                yield frame
            frame = word(frame + found["frame.before"])

    def is_code(self, address):
        """Whether a code object is there."""
        return self.memory.word(address + self.found["object.type"]) == self.base + self.found["code.type"]

    def text(self, address):
        """A `str` that is there."""
        found, memory = self.found, self.memory
        if memory.word(address + found["object.type"]) != self.base + found["text.type"]:
            raise Unknown("a text is none")
        length = memory.word(address + found["text.length"])
        state = memory.numbers(address + found["text.state"], 4)[0]
        width = state >> found["text.state.width"] & 7
        data = found["text.data.ascii" if state >> found["text.state.ascii"] & 1 else "text.data"]
        contents = memory.read(address + data, length * width)
        return contents.decode({1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}[width], "surrogatepass")

    def bytes(self, address):
        """A `bytes` that is there."""
        found, memory = self.found, self.memory
        if memory.word(address + found["object.type"]) != self.base + found["bytes.type"]:
            raise Unknown("bytes are none")
        return memory.read(address + found["bytes.data"], memory.word(address + found["bytes.length"]))

    def at(self, frame):
        """What is read of a frame: file, name, first line, table of lines, instruction."""
        found, memory = self.found, self.memory
        code = memory.word(frame + found["frame.code"]) & ~TAGS
        if "frame.pointer" in found:
            instruction = memory.word(frame + found["frame.pointer"]) - code - found["code.start"]
        else:
            instruction = memory.numbers(frame + found["frame.number"], 4)[0] * found["frame.number.scale"]
        return (
            self.text(memory.word(code + found["code.file"])),
            self.text(memory.word(code + found["code.name"])),
            memory.numbers(code + found["code.line"], 4)[0],
            self.bytes(memory.word(code + found["code.lines"])),
            instruction,
        )

    def state_by_number(self, native):
        """A thread's state, from the runtime, by the kernel's number of it."""
        found, word = self.found, self.memory.word
        state = word(word(self.base + found["runtime"] + found["runtime.interpreters"]) + found["interpreter.states"])
        for _ in range(100):
            if not state:
                break
            thread = word(state + found["state.thread"])
            if self.memory.numbers(thread + found["thread.number"], 4) == (native,):
                return state
            state = word(state + found["state.next"])
        raise Unknown("a thread is not in the list")


def truth_of(code, instruction):
    """What must be read of a frame."""
    return (
        code.co_filename,
        getattr(code, "co_qualname", code.co_name),
        code.co_firstlineno,
        code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab,
        instruction,
    )


def search(ctypes):
    """Looks for everything, tries it, and gives it with lines that a reader can try itself by."""
    found = Search(Memory(), ctypes)
    parked = [Parked(stack, found.state_of) for stack in (stack_short, stack_mixed, stack_short)]
    try:
        # They told where they are just before they began to wait.
        time.sleep(0.01)
        stacks = [(one, one.frames()) for one in parked]
        codes = [code for _, frames in stacks for _, code, _, _ in frames]
        found.interpreters()
        found.states(parked)
        found.frames(parked)
        found.heads(codes[0])
        found.code(codes)
        found.instruction(stacks)
        for thread, frames in stacks:
            state = found.state_by_number(thread.native)
            read = [found.at(frame) for frame in found.walk(state)]
            if read != [truth_of(code, instruction) for _, code, instruction, _ in frames]:
                raise Unknown("a stack reads otherwise than it is")
            if [frame[1:] for frame in frames] != [frame[1:] for frame in thread.frames()]:
                raise Unknown("a thread moved while it was looked at")
    finally:
        for one in parked:
            one.leave()
    samples = {(code, instruction, line) for _, frames in stacks for _, code, instruction, line in frames}
    return found.found, sorted(samples, key=lambda sample: sample[2])


def main():
    if sys.implementation.name != "cpython" or sys.maxsize != 2**63 - 1 or sys.byteorder != "little":
        raise Unknown("it is no CPython of 64 bits, little end first")
    try:
        import ctypes
    except ImportError as error:
        raise Unknown("it has no ctypes, by which its own memory is looked at") from error
    found, samples = search(ctypes)
    for key, value in found.items():
        print(key, value, sep="\t")
    for code, instruction, line in samples:
        table = code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab
        print("sample", f"{instruction} {line} {code.co_firstlineno} {table.hex()}", sep="\t")


if __name__ == "__main__":
    try:
        main()
    except Unknown as why:
        sys.exit(str(why))
